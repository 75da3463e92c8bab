"""What sampling found in each line of each stage: its functions, and the one to name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ocr_baseline.analysis.functions.call_tree import stacks_by_line
from ocr_baseline.analysis.functions.cause import MIN_TICKS, named_cause, separable
from ocr_baseline.analysis.functions.margin import wilson_interval
from ocr_baseline.analysis.functions.origin import is_fetching, is_reading_sampler
from ocr_baseline.analysis.functions.shares import FunctionTicks
from ocr_baseline.analysis.functions.step_code import step_code
from ocr_baseline.analysis.phases.builder import line_name
from ocr_baseline.vocabulary import FETCH_LINE, IDLE_LINE, PHASES, Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ocr_baseline.analysis.functions.call_tree import Stacks
    from ocr_baseline.analysis.functions.step_code import StepCode
    from ocr_baseline.model.document import BreakdownLine, FunctionShare, Phase, Workers
    from ocr_baseline.model.run import SampledFunction, StackSamples


class SampledShare(NamedTuple):
    """Which part of a line's samples was met somewhere, with its 95% margin."""

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class SampledLine:
    """The stacks of one line of the document, or of all batches that the workers made."""

    stacks: Stacks

    @cached_property
    def _ticks(self) -> FunctionTicks:
        return FunctionTicks(self.stacks)

    @property
    def ticks(self) -> int:
        """Sampling intervals that ended in this line."""
        return self._ticks.total

    @cached_property
    def functions(self) -> list[FunctionShare]:
        """The heaviest functions, the cause among them."""
        heaviest, cause = self._ticks.heaviest(), self.cause
        return heaviest if cause is None or cause in heaviest else [cause, *heaviest]

    @cached_property
    def cause(self) -> FunctionShare | None:
        """The function that the line's time is in."""
        return named_cause(self.stacks, self._ticks)

    @property
    def makes_batches(self) -> bool:
        """Whether the loader makes its batches in this line, as it does without workers."""
        return self._has_method_of(LOADER_WITHOUT_WORKERS)

    @property
    def reads_iterable_dataset(self) -> bool:
        """Whether batches are made from an `IterableDataset` in this line."""
        return self._has_method_of(ITERABLE_FETCHER)

    @property
    def in_sampler(self) -> SampledShare:
        """The part in which the loader reads indices from its sampler."""
        return self._share_below(is_reading_sampler)

    @property
    def in_fetching(self) -> SampledShare:
        """The part in which the loader reads its dataset and collates."""
        return self._share_below(is_fetching)

    def _share_below(self, is_it: Callable[[SampledFunction], bool]) -> SampledShare:
        met = sum(ticks for stack, ticks in self.stacks if any(map(is_it, stack)))
        return SampledShare(met / self.ticks, *wilson_interval(met, self.ticks))

    def _has_method_of(self, class_: str) -> bool:
        return any(
            function.name.startswith(class_) for stack, _ in self.stacks for function in stack
        )

    @property
    def step_code(self) -> StepCode | None:
        """What a step takes of the line by itself, None where few samples say so."""
        return None if self.ticks < MIN_TICKS else step_code(self.stacks)

    def separable(self, least_share: float) -> list[FunctionShare]:
        """Return functions that hold at least that share of the line and aren't the model."""
        if self.ticks < MIN_TICKS:
            return []
        return separable(self.stacks, self._ticks, least_share * self.ticks)


LOADER_WITHOUT_WORKERS = "_SingleProcessDataLoaderIter."
ITERABLE_FETCHER = "_IterableDatasetFetcher."

Place = TypeVar("Place", "BreakdownLine", "Workers")

SampledLines = dict[tuple[str, str], SampledLine]
"""By phase and line; the workers' making of batches is the line `fetch`."""


def sampled_lines(samples: Iterable[StackSamples]) -> SampledLines:
    """Return what was sampled, by the phases and lines of the document."""
    stacks: dict[tuple[str, str], Stacks] = {}
    for one in samples:
        if one.stage not in PHASES:
            continue
        for line, found in stacks_by_line(one).items():
            shown = _worker_line(line) if one.process == "worker" else _main_line(line)
            if shown is not None:
                stacks.setdefault((PHASES[one.stage], shown), []).extend(found)
    return {
        place: SampledLine(found)
        for place, found in stacks.items()
        if any(ticks for _, ticks in found)
    }


def _worker_line(line: str) -> str | None:
    return None if line == IDLE_LINE else FETCH_LINE


def _main_line(line: str) -> str:
    group, separator, _ = line.partition(":")
    return group if separator and group == Line.CALLBACKS.value else line_name(line)


def phase_with_functions(phase: Phase, sampled: Mapping[tuple[str, str], SampledLine]) -> Phase:
    """Return the phase whose lines hold their functions."""
    if phase.dataloader is not None:
        return phase
    lines = [
        _with_functions(line, sampled.get((phase.name, line.name))) for line in phase.breakdown
    ]
    return phase.model_copy(update={"breakdown": lines})


def workers_with_functions(
    workers: Workers, sampled: Mapping[tuple[str, str], SampledLine]
) -> Workers:
    """Return the workers' account with the functions in which they made batches."""
    return _with_functions(workers, sampled.get((workers.phase, FETCH_LINE)))


def _with_functions(place: Place, sampled: SampledLine | None) -> Place:
    if sampled is None:
        return place
    return place.model_copy(update={"functions": sampled.functions, "cause": sampled.cause})
