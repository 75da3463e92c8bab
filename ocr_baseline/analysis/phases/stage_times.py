"""The times of one recorded stage, in the shape in which the rest of the analysis wants them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.analysis.phases.batch_statistics import steady_mask

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ocr_baseline.model.run import BatchTable, StageRecord
    from ocr_baseline.vocabulary import Stage


@dataclass(frozen=True)
class StageTimes:
    """A stage that the recorder recorded, with at least one batch or epoch."""

    record: StageRecord

    @property
    def stage(self) -> Stage:
        """Which stage this is."""
        return self.record.stage

    @property
    def table(self) -> BatchTable | None:
        """The batches, None when there were none."""
        return self.record.batches

    @cached_property
    def durations_s(self) -> NDArray[np.float64]:
        """Time of each batch, shape (batches,)."""
        return np.empty(0) if self.table is None else self.table.duration_s

    @cached_property
    def loaders(self) -> list[int]:
        """The numbers of the loaders that batches came from, ascending."""
        if self.table is None:
            return []
        numbers: list[int] = np.unique(self.table.dataloader_idx).tolist()
        return numbers

    @cached_property
    def is_first_of_epoch(self) -> NDArray[np.bool_]:
        """Which batches are their epoch's first, shape (batches,).

        A pass begins where a batch has number 0 of the first loader, or where the epoch changes.
        """
        if self.table is None:
            return np.empty(0, dtype=np.bool_)
        starts: NDArray[np.bool_] = (self.table.batch_idx == 0) & (self.table.dataloader_idx == 0)
        starts[1:] |= np.diff(self.table.epoch) != 0
        starts[:1] = True
        return starts

    @cached_property
    def is_steady(self) -> NDArray[np.bool_]:
        """Which batches statistics are made of, shape (batches,)."""
        positions = np.arange(len(self.durations_s))
        return steady_mask(positions, self.is_first_of_epoch, self.record.set_aside)

    @cached_property
    def steady_s(self) -> NDArray[np.float64]:
        """Time of each steady batch, shape (steady batches,)."""
        steady: NDArray[np.float64] = self.durations_s[self.is_steady]
        return steady

    @cached_property
    def lines_s(self) -> dict[str, float]:
        """Total of each line over batches and tails, the heaviest first."""
        totals: dict[str, float] = {}
        if self.table is not None:
            for line, column in self.table.lines_s.items():
                totals[line] = float(column.sum(dtype=np.float64))
        for epoch in self.record.epochs:
            for line, value in epoch.tail_s.items():
                totals[line] = totals.get(line, 0.0) + value
        return dict(sorted(totals.items(), key=lambda item: -item[1]))

    @property
    def total_s(self) -> float:
        """Everything between the stage's first hook and its last, over all epochs."""
        return float(self.durations_s.sum()) + self.tail_s

    @property
    def tail_s(self) -> float:
        """Time outside the batches."""
        return sum(sum(epoch.tail_s.values()) for epoch in self.record.epochs)

    @property
    def events(self) -> int:
        """Spans that the profiler entered in finished epochs."""
        return sum(epoch.events for epoch in self.record.epochs)

    @cached_property
    def samples(self) -> int | None:
        """Samples of all batches, None when the size of a batch isn't known."""
        if self.table is None or len(self.table.samples) == 0 or np.isnan(self.table.samples).any():
            return None
        return int(self.table.samples.sum())

    def passes(self) -> Iterable[slice]:
        """Yield the rows of each pass: those of each finished epoch, then of what had no end.

        An epoch may hold several (a loop of the user's that reads three loaders in one stage);
        where batches of one were lost, each counts as the batches' own numbers tell.
        """
        finished = [epoch.batches for epoch in self.record.epochs if epoch.batches]
        starts = np.flatnonzero(self.is_first_of_epoch)
        if finished and sum(finished) <= len(self.durations_s):
            *known, end = np.cumsum([0, *finished])
            unfinished = np.union1d([end], starts[starts > end])
            starts = np.append(known, unfinished[unfinished < len(self.durations_s)]).astype(int)
        ends = np.append(starts, len(self.durations_s))[1:]
        for start, end in zip(starts, ends, strict=True):
            yield slice(int(start), int(end))
