"""What a step takes by itself: lines of Python in it, and library functions that they call.

A function that the step calls has a name to find it by; a loop or a sort that stands in the step
has none, and the step's whole time says nothing, since the model runs in it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.analysis.functions.margin import wilson_interval
from ocr_baseline.analysis.functions.origin import is_private, origin_of, own_name
from ocr_baseline.analysis.functions.whose import STEPS, is_file_code, is_inline

if TYPE_CHECKING:
    from ocr_baseline.analysis.functions.call_tree import Stack, Stacks
    from ocr_baseline.model.run import SampledFunction

_CALLED = frozenset({"stdlib", "library"})

_MOST = 0.5


@dataclass(frozen=True)
class Called:
    """A function of a library's that holds most of what a step takes by itself, and how much.

    Where the step imports a module, it is the code of that module's file.
    """

    function: SampledFunction
    share: float

    @property
    def is_import(self) -> bool:
        """Whether it is a module that the step imports."""
        return is_file_code(self.function)


@dataclass(frozen=True)
class StepCode:
    """A step of the user's, and the share of its line that it takes by itself, with its margin.

    Attributes:
        step: The step.
        share: Of the line's samples.
        low: The lower end of the 95% interval of the share.
        high: Its upper end.
        called: What most of these samples are in, as a wait for threads is; None where the step's
            own lines hold them, or several functions do.
    """

    step: SampledFunction
    share: float
    low: float
    high: float
    called: Called | None = None


def step_code(stacks: Stacks) -> StepCode | None:
    """Return the step that takes most of a line by itself, None where none was met.

    What torch's and Lightning's Python code does is not the step's own, nor are other functions of
    the user's. An operator of torch that the step calls directly can't be told from it.
    """
    own: Counter[SampledFunction] = Counter()
    below: defaultdict[SampledFunction, list[tuple[Stack, int]]] = defaultdict(list)
    for stack, ticks in stacks:
        depth = _depth_of_step(stack)
        if depth is not None:
            own[stack[depth]] += ticks
            below[stack[depth]].append((stack[depth + 1 :], ticks))
    if not own:
        return None
    (step, ticks), *_ = own.most_common(1)
    total = sum(ticks for _, ticks in stacks)
    low, high = wilson_interval(ticks, total)
    return StepCode(step, ticks / total, low, high, _called(below[step], ticks))


def _depth_of_step(stack: Stack) -> int | None:
    """Return where in a stack the user's step is that takes the sample by itself."""
    for depth, function in reversed(list(enumerate(stack))):
        if own_name(function) in STEPS:
            return depth if origin_of(function) == "user" else None
        if not is_inline(function) and origin_of(function) not in _CALLED:
            return None
    return None


def _called(below: Stacks, total: int) -> Called | None:
    """Return the outermost import, or else the deepest public function, of most of the samples."""
    met: Counter[SampledFunction] = Counter()
    depths: dict[SampledFunction, int] = {}
    for stack, ticks in below:
        for depth, function in enumerate(stack):
            is_public = not is_inline(function) and not is_private(own_name(function))
            if is_public or is_file_code(function):
                depths[function] = max(depth, depths.get(function, 0))
        met.update(dict.fromkeys(set(stack), ticks))
    most = [function for function in depths if met[function] >= _MOST * total]
    if not most:
        return None
    imports = [function for function in most if is_file_code(function)]
    if imports:
        function = min(imports, key=lambda one: depths[one])
    else:
        function = max(most, key=lambda one: depths[one])
    return Called(function, met[function] / total)
