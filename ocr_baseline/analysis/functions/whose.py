"""Which functions of a line are somebody's to change: the user's, or the library's in their place.

Where no function of the user's is on a line's stacks (a module, a metric or a callback that came
with a library), the library that the framework calls first stands in for it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.analysis.functions.origin import (
    LAYER,
    is_private,
    origin_of,
    own_name,
    package_of,
)

if TYPE_CHECKING:
    from ocr_baseline.analysis.functions.call_tree import Node, Stack, Stacks
    from ocr_baseline.model.run import SampledFunction

STEPS = frozenset({"training_step", "validation_step", "test_step", "predict_step"})
_COMPILED = "torch_dynamo_resume_in_"
_MODEL_SHARE = 0.1


@dataclass(frozen=True)
class Owner:
    """Whose functions count: the user's (`package` is None), or those of one library."""

    package: str | None

    def owns(self, function: SampledFunction) -> bool:
        """Whether the function is one to name."""
        if self.package is None:
            return origin_of(function) == "user"
        return package_of(function) == self.package and not is_private(own_name(function))


def owner_of(stacks: Stacks) -> Owner:
    """Return the user where at least half of the samples hold a function of theirs."""
    of_user = 0
    packages: Counter[str] = Counter()
    for stack, ticks in stacks:
        if any(origin_of(function) == "user" for function in stack):
            of_user += ticks
        else:
            packages[_first_library(stack) or ""] += ticks
    (package, _), *_ = packages.most_common(1) or [("", 0)]
    is_users = 2 * of_user >= of_user + packages.total()
    return Owner(None if is_users or not package else package)


def _first_library(stack: Stack) -> str | None:
    return next((package_of(one) for one in stack if origin_of(one) == "library"), None)


def is_inline(function: SampledFunction) -> bool:
    """Whether the function is a comprehension or a file's own code, which has no name to tell."""
    return function.name.endswith(">") and not function.name.endswith("<lambda>")


def is_file_code(function: SampledFunction) -> bool:
    """Whether it is the code of a file outside of its functions: what an import runs."""
    return function.name == "<module>"


def is_step_or_layer(function: SampledFunction) -> bool:
    """Whether it is what a training is for: a step, a module's `forward`, a compiled part of it."""
    name = own_name(function)
    return name in STEPS or name == LAYER or name.startswith(_COMPILED)


def runs_the_model(node: Node) -> bool:
    """Whether a considerable part of the node's time is in modules that it calls."""
    return node.in_modules >= _MODEL_SHARE * node.ticks
