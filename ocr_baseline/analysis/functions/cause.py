"""The named cause of a line, and the functions that could be taken out of the model's own line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.functions.call_tree import call_tree, heaviest_path
from ocr_baseline.analysis.functions.origin import (
    LAYER,
    MODULE_CALL,
    TORCH,
    is_private,
    origin_of,
    own_name,
    package_of,
    path_of,
)
from ocr_baseline.analysis.functions.whose import (
    Owner,
    is_inline,
    is_step_or_layer,
    owner_of,
    runs_the_model,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ocr_baseline.analysis.functions.call_tree import Node, Stacks
    from ocr_baseline.analysis.functions.shares import FunctionTicks
    from ocr_baseline.model.document import FunctionShare
    from ocr_baseline.model.run import SampledFunction

MIN_TICKS = 30
LEAST_SHARE = 0.10
BETTER_PART = 0.5


def named_cause(stacks: Stacks, ticks: FunctionTicks) -> FunctionShare | None:
    """Return the function that a line's time is in, None where samples don't show one.

    From the line's root the heaviest callee is followed while one holds half of the line. Of that
    path the deepest function of the user's is named; a step, a layer of the model and what mostly
    calls layers only where no other is there. Where the path forks before it comes to any of the
    user's, it is the one that holds half of the line in all branches together. A cause needs
    `MIN_TICKS` samples of its line and at least `LEAST_SHARE` of it at the lower end of its margin.
    """
    if ticks.total < MIN_TICKS:
        return None
    path = list(heaviest_path(call_tree(stacks), BETTER_PART * ticks.total))
    owner = owner_of(stacks)
    is_forked_before = not any(_owns(owner, node) for node in path)
    shared = _shared_by_branches(owner, ticks) if is_forked_before else None
    function = shared or _named(path, owner)
    if function is None:
        return None
    share = ticks.share(function)
    return share if share.low >= LEAST_SHARE else None


def _shared_by_branches(owner: Owner, ticks: FunctionTicks) -> SampledFunction | None:
    """Return the owner's function of most of the line, wherever it is called from."""
    owned = [
        function
        for function, met in ticks.inclusive.items()
        if met >= BETTER_PART * ticks.total
        and owner.owns(function)
        and not is_inline(function)
        and not is_step_or_layer(function)
    ]
    return max(owned, key=lambda one: (ticks.inclusive[one], ticks.own[one]), default=None)


def _named(path: Sequence[Node], owner: Owner) -> SampledFunction | None:
    owned = [node for node in path if _owns(owner, node)]
    plain = [node for node in owned if not _is_models(node)]
    if plain:
        return plain[-1].function
    layers = [node for node in owned if node.function and own_name(node.function) == LAYER]
    if layers:
        return layers[-1].function
    below = path[path.index(owned[-1]) + 1 :] if owned else path
    return _called_library(below)


def _called_library(path: Sequence[Node]) -> SampledFunction | None:
    """Return the deepest public function of the first library called, else of torch."""
    functions = [node.function for node in path if node.function is not None]
    if any(path_of(function).endswith(MODULE_CALL) for function in functions):
        return None
    libraries = [function for function in functions if origin_of(function) == "library"]
    torch = [function for function in functions if package_of(function) == TORCH]
    public = [one for one in libraries or torch if _has_public_name(one)]
    return public[-1] if public else None


def _has_public_name(function: SampledFunction) -> bool:
    """Whether a reader finds the function by its name: no private, inline or wrapping one."""
    is_public = not any(map(is_private, function.name.split(".")))
    return is_public and not is_inline(function) and "<locals>" not in function.name


def separable(stacks: Stacks, ticks: FunctionTicks, least: float) -> list[FunctionShare]:
    """Return the functions of at least `least` ticks that aren't the model, the heaviest first.

    In each branch of the tree it is the outermost such function, or one below it that holds half
    of its time.
    """
    owner = owner_of(stacks)
    found = dict.fromkeys(_separable(call_tree(stacks), owner, least))
    return sorted(map(ticks.share, found), key=lambda share: -share.inclusive_share)


def _separable(node: Node, owner: Owner, least: float) -> Iterator[SampledFunction]:
    for child in node.children.values():
        if child.ticks < least:
            continue
        if _owns(owner, child) and not _is_models(child) and child.function is not None:
            yield _deepest(child, owner) or child.function
        else:
            yield from _separable(child, owner, least)


def _deepest(node: Node, owner: Owner) -> SampledFunction | None:
    path: Iterable[Node] = heaviest_path(node, BETTER_PART * node.ticks)
    owned = [below for below in path if _owns(owner, below) and not _is_models(below)]
    return owned[-1].function if owned else None


def _owns(owner: Owner, node: Node) -> bool:
    function = node.function
    return function is not None and owner.owns(function) and not is_inline(function)


def _is_models(node: Node) -> bool:
    function = node.function
    if function is None or node.makes_batches:
        return False
    return is_step_or_layer(function) or runs_the_model(node)
