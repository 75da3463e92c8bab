"""What a step takes by itself: lines of Python in it, and library functions that they call.

A function that the step calls has a name to find it by; a loop or a sort that stands in the step
has none, and the step's whole time says nothing, since the model runs in it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.analysis.functions.margin import wilson_interval
from ocr_baseline.analysis.functions.origin import origin_of, own_name
from ocr_baseline.analysis.functions.whose import STEPS, is_inline

if TYPE_CHECKING:
    from ocr_baseline.analysis.functions.call_tree import Stack, Stacks
    from ocr_baseline.model.run import SampledFunction

_CALLED = frozenset({"stdlib", "library"})


@dataclass(frozen=True)
class StepCode:
    """A step of the user's, and the share of its line that it takes by itself, with its margin."""

    step: SampledFunction
    share: float
    low: float
    high: float


def step_code(stacks: Stacks) -> StepCode | None:
    """Return the step that takes most of a line by itself, None where none was met.

    What torch's and Lightning's Python code does is not the step's own, nor are other functions of
    the user's. An operator of torch that the step calls directly can't be told from it.
    """
    own: Counter[SampledFunction] = Counter()
    for stack, ticks in stacks:
        step = _step_by_itself(stack)
        if step is not None:
            own[step] += ticks
    if not own:
        return None
    (step, ticks), *_ = own.most_common(1)
    total = sum(ticks for _, ticks in stacks)
    low, high = wilson_interval(ticks, total)
    return StepCode(step, ticks / total, low, high)


def _step_by_itself(stack: Stack) -> SampledFunction | None:
    for function in reversed(stack):
        if own_name(function) in STEPS:
            return function if origin_of(function) == "user" else None
        if not is_inline(function) and origin_of(function) not in _CALLED:
            return None
    return None
