"""Self and inclusive shares of the functions of a line."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ocr_baseline.analysis.functions.margin import wilson_interval
from ocr_baseline.analysis.functions.origin import origin_of
from ocr_baseline.model.document import FunctionShare

if TYPE_CHECKING:
    from ocr_baseline.analysis.functions.call_tree import Stacks
    from ocr_baseline.model.run import SampledFunction

MOST_FUNCTIONS = 20
"""A loader of several datasets with transforms of their own has more functions than ten."""
LEAST_OWN_SHARE = 0.02
"""Of a line, from which code of the framework is more than a call that passes on."""


class FunctionTicks:
    """How often each function of a line was met: innermost (self) and anywhere (inclusive)."""

    def __init__(self, stacks: Stacks) -> None:
        """Count; a function that calls itself counts once for each stack."""
        self.total = sum(ticks for _, ticks in stacks)
        self.own: Counter[SampledFunction] = Counter()
        self.inclusive: Counter[SampledFunction] = Counter()
        for stack, ticks in stacks:
            if stack:
                self.own[stack[-1]] += ticks
            for function in dict.fromkeys(stack):  # a set has another order in each process
                self.inclusive[function] += ticks

    def share(self, function: SampledFunction) -> FunctionShare:
        """Return a function's shares of the line, with the margin of the inclusive one."""
        origin = origin_of(function)
        low, high = wilson_interval(self.inclusive[function], self.total)
        return FunctionShare(
            name=function.name,
            file=function.file,
            line=function.line,
            origin="stdlib" if origin == "own" else origin,
            self_share=self.own[function] / self.total,
            inclusive_share=self.inclusive[function] / self.total,
            low=low,
            high=high,
        )

    def heaviest(self) -> list[FunctionShare]:
        """Return the functions worth a row, the heaviest first.

        Functions of torch, Lightning and the standard library that only pass calls on are left
        out: the trainer's loops are around everything and say nothing.
        """
        least = LEAST_OWN_SHARE * self.total
        told = [
            function
            for function in self.inclusive
            if origin_of(function) in ("user", "library") or 0 < least <= self.own[function]
        ]
        told.sort(key=lambda function: (-self.inclusive[function], -self.own[function]))
        return [self.share(function) for function in told[:MOST_FUNCTIONS]]
