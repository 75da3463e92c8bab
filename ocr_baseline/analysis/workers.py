"""Loader workers: how busy they were, and how much of their work the main thread waited for.

The records hold when each worker began and ended each batch, and when the main thread waited for
one. While it waited, the workers that were at work are what it waited for: each wait is split over
them by the time that they worked inside it, and over operations by their share of each batch.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.analysis.reading import worker_reading
from ocr_baseline.analysis.sums import sum_of, sum_of_column
from ocr_baseline.model.document import Workers
from ocr_baseline.vocabulary import FETCH_LINE, IDLE_LINE, Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from ocr_baseline.analysis.phases.stage_times import StageTimes
    from ocr_baseline.model.run import BatchTable, WorkerRecord

WAIT_LINES = (Line.DATA_WAIT.value, Line.LOADER_STARTUP.value)


@dataclass(frozen=True)
class WorkerTimes:
    """What the workers of one stage did.

    `busy_s` and `waited_s` are seconds by line of the workers' own accounts: each operation
    (`op:NAME`) and `fetch`, the rest of making a batch.
    """

    records: Sequence[WorkerRecord]
    wait_s: float
    busy_s: dict[str, float] = field(default_factory=dict)
    waited_s: dict[str, float] = field(default_factory=dict)

    @property
    def total_busy_s(self) -> float:
        """Time that all workers together spent making batches."""
        return sum(self.busy_s.values())

    @property
    def count(self) -> int:
        """Workers that ran at the same time."""
        return len({record.worker for record in self.records})


def worker_times(times: StageTimes, records: Iterable[WorkerRecord]) -> WorkerTimes | None:
    """Return what the stage's workers did, None when it had none."""
    mine = [record for record in records if record.stage is times.stage]
    if not mine:
        return None
    wait_s = np.empty(0) if times.table is None else batch_wait_s(times.table)
    busy_s: dict[str, float] = defaultdict(float)
    waited_s: dict[str, float] = defaultdict(float)
    waits = _Waits.of(np.empty(0) if times.table is None else times.table.start_s, wait_s, mine)
    for record in mine:
        waited_share = waits.share_waited_for(record)
        for line, column in record.lines_s.items():
            if line != IDLE_LINE and len(column):
                busy_s[line] += float(column.sum())
                waited_s[line] += float(column @ waited_share)
    return WorkerTimes(
        records=mine,
        wait_s=float(wait_s.sum()),
        busy_s=dict(busy_s),
        waited_s=dict(waited_s),
    )


def batch_wait_s(table: BatchTable) -> NDArray[np.float64]:
    """Return how long each batch was waited for, shape (batches,).

    Asking for a batch is how its row begins, so a wait runs from the row's start.
    """
    wait_s = np.zeros(len(table.start_s))
    for line in WAIT_LINES:
        if line in table.lines_s:
            wait_s += table.lines_s[line]
    return wait_s


@dataclass(frozen=True)
class _Waits:
    """The waits of a stage, in order, and how much work all workers together did in each.

    A worker's work is taken as spread evenly over each batch. A wait is shared out over the work
    done inside it, up to the wait itself: with three workers busy through a wait of a second, a
    third of a second of it is for each.
    """

    knots_s: NDArray[np.float64]
    waited_for_s: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        begin_s: NDArray[np.float64],
        wait_s: NDArray[np.float64],
        records: Iterable[WorkerRecord],
    ) -> _Waits:
        """Work out how much of each second of work inside each wait was waited for."""
        knots_s = _knots_s(begin_s, begin_s + wait_s)
        worked_s = np.zeros(len(wait_s))
        for record in records:
            if len(record.start_s):
                done_s = np.interp(knots_s, *_progress(record))
                worked_s += done_s[1::2] - done_s[::2]
        part = np.divide(
            np.minimum(wait_s, worked_s), worked_s, out=np.zeros(len(wait_s)), where=worked_s > 0
        )
        return cls(knots_s, _cumulated(part * (knots_s[1::2] - knots_s[::2])))

    def share_waited_for(self, record: WorkerRecord) -> NDArray[np.float64]:
        """Return which part of the making of each batch was waited for, shape (batches,)."""
        if len(self.knots_s) == 0 or len(record.start_s) == 0:
            return np.zeros(len(record.start_s))
        knots_s = _knots_s(record.start_s, record.end_s)
        waited_s = np.interp(knots_s, self.knots_s, self.waited_for_s)
        inside_s = waited_s[1::2] - waited_s[::2]
        made_s = knots_s[1::2] - knots_s[::2]
        return np.divide(inside_s, made_s, out=np.zeros(len(made_s)), where=made_s > 0)


def _progress(record: WorkerRecord) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the moments at which batches were begun and ended, and the work done by each."""
    knots_s = _knots_s(record.start_s, record.end_s)
    return knots_s, _cumulated(knots_s[1::2] - knots_s[::2])


def _knots_s(begin_s: NDArray[np.float64], end_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return begin and end of each interval in turn; rounding may let neighbours overlap."""
    knots_s: NDArray[np.float64] = np.maximum.accumulate(np.column_stack([begin_s, end_s]).ravel())
    return knots_s


def _cumulated(interval_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what has passed at the begin and the end of each interval, shape (2 x intervals,)."""
    return np.concatenate([[0.0], np.repeat(np.cumsum(interval_s), 2)[:-1]])


def workers_section(times: StageTimes, workers: WorkerTimes) -> Workers:
    """Return the document's account of a stage's workers."""
    startup_s = [
        record.ready_s - record.asked_s
        for record in workers.records
        if record.ready_s is not None and record.asked_s is not None
    ]
    busy_s = workers.total_busy_s
    cpu_s = sum_of(sum_of_column(record.cpu_s) for record in workers.records)
    reading = worker_reading(workers.records)
    return Workers(
        phase=times.stage.value,
        count=workers.count,
        processes=len(workers.records),
        batches=sum(len(record.start_s) for record in workers.records),
        startup_mean_s=float(np.mean(startup_s)) if startup_s else None,
        startup_max_s=max(startup_s, default=None),
        busy_s=busy_s,
        unnamed_s=workers.busy_s.get(FETCH_LINE, 0.0),
        waited_s=sum(workers.waited_s.values()),
        cpu_s=cpu_s,
        cpu_share=None if cpu_s is None or not busy_s else cpu_s / busy_s,
        queued_s=sum_of(sum_of_column(record.queued_s) for record in workers.records),
        read_bytes=reading.read_bytes,
        disk_read_bytes=reading.disk_bytes,
        disk_wait_s=reading.disk_wait_s,
        torch_threads=max(
            (threads for record in workers.records if (threads := record.torch_threads)),
            default=None,
        ),
    )
