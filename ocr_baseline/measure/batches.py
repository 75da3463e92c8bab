"""The batches and epochs of one stage, as they run."""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ocr_baseline.measure.processor_time import NO_PROCESSOR_TIME, ProcessorTime
from ocr_baseline.measure.reading import NOTHING_READ, Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.vocabulary import Stage


BatchRow = tuple[Any, ...]
"""One finished batch: epoch, batch_idx, dataloader_idx, samples, start_ns, then the nanoseconds of
each line by its index, which sum to the batch's duration.

A bare tuple of numbers, because Python's garbage collector stops tracking those at first sight.
As objects of their own, rows that wait for the disk grow old and make the collector search the
whole program more often: 0.2 s each time beside torch and Lightning.
"""


class EpochRow(NamedTuple):
    """One finished pass of a stage; `tail_ns` is the time outside its batches, by line index.

    `events` counts the spans entered during the pass, in batches and outside; `reading` is what
    the thread read meanwhile, `processor` what the process computed, and the thread ran and
    queued.
    """

    epoch: int
    start_ns: int
    batches: int
    tail_ns: list[int]
    events: int
    reading: Reading
    processor: ProcessorTime


@dataclass
class StageState:
    """What a stage has open: its epoch, its batch, and the rows that wait for the disk."""

    stage: Stage
    cells: list[int] = field(default_factory=list)
    rows: deque[BatchRow] = field(default_factory=deque)
    epochs: deque[EpochRow] = field(default_factory=deque)
    epoch: int = 0
    epoch_start_ns: int | None = None
    epoch_batches: int = 0
    tail_ns: list[int] = field(default_factory=list)
    events: int = 0
    reading: Reading = NOTHING_READ
    processor: ProcessorTime = NO_PROCESSOR_TIME
    is_fetching_first: bool = True
    batch_start_ns: int | None = None
    batch_idx: int | None = None
    dataloader_idx: int = 0
    samples: int | None = None
    is_batch_done: bool = False
    left_cells: list[int] | None = None
    epoch_durations_ns: array[int] = field(default_factory=lambda: array("q"))
    epoch_samples: int = 0
    batches_before_epoch: int = 0
    set_aside: list[int] = field(default_factory=list)
    """Positions of batches that were looked into, and are slower for it: no statistic has them."""

    @property
    def position(self) -> int:
        """Number of the open batch in its stage, over all epochs."""
        return self.batches_before_epoch + self.epoch_batches

    @property
    def has_started_batch(self) -> bool:
        """Whether a batch was fetched and handed to the step hooks."""
        return self.batch_idx is not None

    def add_to_tail(self, cells: Sequence[int]) -> None:
        """Add time outside batches to the epoch's tail."""
        self.tail_ns.extend([0] * (len(cells) - len(self.tail_ns)))
        for index, value in enumerate(cells):
            self.tail_ns[index] += value

    def close_batch(self, cells: list[int]) -> None:
        """Turn the started batch into a row that took `cells`, or tail where it was never done."""
        if self.batch_idx is None or self.batch_start_ns is None or not self.is_batch_done:
            self._forget_batch()
            self.add_to_tail(cells)
            return
        start_ns, idx, loader = self.batch_start_ns, self.batch_idx, self.dataloader_idx
        self.rows.append((self.epoch, idx, loader, self.samples, start_ns, *cells))
        self.epoch_durations_ns.append(sum(cells))
        self.epoch_samples += self.samples or 0
        self.epoch_batches += 1
        self._forget_batch()

    def _forget_batch(self) -> None:
        self.batch_idx = None
        self.batch_start_ns = None
        self.samples = None
        self.is_batch_done = False

    def open_epoch(self, epoch: int, now_ns: int) -> None:
        """Begin a pass."""
        self.epoch = epoch
        self.epoch_start_ns = now_ns
        self.is_fetching_first = True
        self.epoch_durations_ns = array("q")
        self.epoch_samples = 0

    def close_epoch(self) -> EpochRow | None:
        """End the pass, if one is open, and return its row."""
        if self.epoch_start_ns is None:
            return None
        row = EpochRow(
            self.epoch,
            self.epoch_start_ns,
            self.epoch_batches,
            self.tail_ns,
            self.events,
            self.reading,
            self.processor,
        )
        self.epochs.append(row)
        self.batches_before_epoch += self.epoch_batches
        self.tail_ns = []
        self.events = 0
        self.reading = NOTHING_READ
        self.processor = NO_PROCESSOR_TIME
        self.epoch_start_ns = None
        self.epoch_batches = 0
        return row
