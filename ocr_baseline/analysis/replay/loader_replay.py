"""Savings by replay: the measured timeline of a loader and its workers, run again with a change.

With what each batch took to make, to deliver and to receive, and what the main thread did between
two batches, the rules of the loader tell how long everything takes: as it was, without an
operation, or with another number of workers. Work of the main thread that goes away gives the
workers less time to get ahead, so that some or all of it may turn into waiting; work of the workers
that goes away leaves more of a shared processor to the rest. A saving is the time of the replay as
measured minus that of the replay with the change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.analysis.replay.loader_timeline import LoaderPass, Simulated, simulate
from ocr_baseline.analysis.replay.shared_processors import (
    ONE_FOR_EVERYTHING,
    Processors,
    simulate_shared,
    undisturbed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Change = Callable[[LoaderPass], LoaderPass]


@dataclass(frozen=True, kw_only=True)
class LoaderReplay:
    """The passes of a stage that are replayed: all, or as many as bound the cost.

    `wait_s` is the wait measured over the whole stage, `batches` the number of its batches. The
    passes hold what was measured.
    """

    wait_s: float
    batches: int
    passes: Sequence[LoaderPass]
    processors: Processors = ONE_FOR_EVERYTHING

    @cached_property
    def as_measured(self) -> Simulated:
        """What the replay without any change gives for the whole stage."""
        return self._whole([simulate(one) for one in self.passes])

    def saving_without_s(self, line: str, removed: float = 1.0) -> float:
        """Return how much shorter the stage would be without a line of the workers.

        Args:
            line: A line of the workers; a part of it is taken out of every batch.
            removed: Which part of it: 1 removes the line, 0.5 halves it.
        """

        def change(one: LoaderPass) -> LoaderPass:
            if line not in one.lines_s:
                return one
            return replace(one, fetch_s=_without(one.fetch_s, removed * one.lines_s[line]))

        return max(self.as_measured.total_s - self.simulated(change).total_s, 0.0)

    def saving_with_workers_s(self, workers: int) -> float:
        """Return how much shorter the stage would be with that many workers."""
        return max(self.as_measured.total_s - self.with_workers(workers).total_s, 0.0)

    def with_workers(self, workers: int) -> Simulated:
        """Return the replay with that many workers."""
        return self.simulated(lambda one: replace(one, ready_s=added_ready_s(one.ready_s, workers)))

    def added_wait_without_main_s(self, line: str, removed: float = 1.0) -> float:
        """Return how much longer the main thread would wait without a line of its own work.

        Args:
            line: A line of the main thread; a part of it is taken out of every batch.
            removed: Which part of it, as in `saving_without_s`.
        """

        def change(one: LoaderPass) -> LoaderPass:
            if line not in one.main_lines_s:
                return one
            return replace(one, main_s=_without(one.main_s, removed * one.main_lines_s[line]))

        taken_s = self._scale * sum(
            float((one.main_s - change(one).main_s).sum()) for one in self.passes
        )
        saved_s = self.as_measured.total_s - self.simulated(change).total_s
        return max(taken_s - saved_s, 0.0)

    def simulated(self, change: Change) -> Simulated:
        """Return the replay of the whole stage with a change of each undisturbed pass."""
        return self.simulated_by_pass(lambda one, number: change(one))

    def simulated_by_pass(self, change: Callable[[LoaderPass, int], LoaderPass]) -> Simulated:
        """Return the replay with a change of each undisturbed pass that knows the pass's number."""
        changed = (change(one, number) for number, one in enumerate(self._undisturbed))
        return self._whole([self._simulate(one) for one in changed])

    @cached_property
    def _undisturbed(self) -> list[LoaderPass]:
        return [undisturbed(one, self.processors) for one in self.passes]

    def _simulate(self, one: LoaderPass) -> Simulated:
        if self.processors.suffice_for(len(one.ready_s)):
            return simulate(one)
        return simulate_shared(one, self.processors)

    @property
    def _scale(self) -> float:
        replayed = sum(len(one.fetch_s) for one in self.passes)
        return self.batches / replayed if replayed else 0.0

    def _whole(self, passes: Sequence[Simulated]) -> Simulated:
        return Simulated(
            self._scale * sum(one.total_s for one in passes),
            self._scale * sum(one.wait_s for one in passes),
        )


def _without(whole_s: NDArray[np.float64], part_s: NDArray[np.floating]) -> NDArray[np.float64]:
    rest_s: NDArray[np.float64] = np.maximum(whole_s - part_s, 0.0)
    return rest_s


def added_ready_s(ready_s: NDArray[np.float64], workers: int) -> NDArray[np.float64]:
    """Return when each of `workers` is ready; those that there were not are ready on average."""
    if workers <= len(ready_s):
        return ready_s[:workers]
    usual_s = float(ready_s.mean()) if len(ready_s) else 0.0
    return np.concatenate([ready_s, np.full(workers - len(ready_s), usual_s)])
