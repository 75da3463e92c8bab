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

from ocr.performance.baseline import Workers
from ocr.performance.record.workers import FETCH_LINE, IDLE_LINE
from ocr.performance.stages import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from ocr.performance.analysis.stage_times import StageTimes
    from ocr.performance.run import WorkerRecord

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
    begin_s, end_s = _waits(times)
    busy_s: dict[str, float] = defaultdict(float)
    overlap_s: dict[str, NDArray[np.float64]] = {}
    for record in mine:
        for line, column in record.lines_s.items():
            if line == IDLE_LINE or len(column) == 0:
                continue
            busy_s[line] += float(column.sum())
            inside_s = _work_inside(record, column, begin_s, end_s)
            overlap_s[line] = overlap_s.get(line, np.zeros(len(begin_s))) + inside_s
    return WorkerTimes(
        records=mine,
        wait_s=float((end_s - begin_s).sum()),
        busy_s=dict(busy_s),
        waited_s=_split_waits(overlap_s, end_s - begin_s),
    )


def _waits(times: StageTimes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return begin and end of each batch's wait; asking for the batch is how its row begins."""
    table = times.table
    if table is None:
        return np.empty(0), np.empty(0)
    wait_s = np.zeros(len(table.start_s))
    for line in WAIT_LINES:
        if line in table.lines_s:
            wait_s += table.lines_s[line]
    return table.start_s, table.start_s + wait_s


def _work_inside(
    record: WorkerRecord,
    line_s: NDArray[np.float64],
    begin_s: NDArray[np.float64],
    end_s: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return how much of a line's work fell inside each interval, spread evenly in each batch."""
    knots_s = np.column_stack([record.start_s, record.end_s]).ravel()
    done_s = np.concatenate([[0.0], np.repeat(np.cumsum(line_s), 2)[:-1]])
    inside: NDArray[np.float64] = np.interp(end_s, knots_s, done_s) - np.interp(
        begin_s, knots_s, done_s
    )
    return inside


def _split_waits(
    overlap_s: dict[str, NDArray[np.float64]], wait_s: NDArray[np.float64]
) -> dict[str, float]:
    """Share each wait out in proportion to the work done inside it, up to the wait itself."""
    if not overlap_s:
        return {}
    worked_s = sum(overlap_s.values(), np.zeros(len(wait_s)))
    scale = np.divide(
        np.minimum(wait_s, worked_s), worked_s, out=np.zeros(len(wait_s)), where=worked_s > 0
    )
    return {line: float((column * scale).sum()) for line, column in overlap_s.items()}


def workers_section(times: StageTimes, workers: WorkerTimes) -> Workers:
    """Return the document's account of a stage's workers."""
    startup_s = [
        record.ready_s - record.asked_s
        for record in workers.records
        if record.ready_s is not None and record.asked_s is not None
    ]
    return Workers(
        phase=times.stage.value,
        count=workers.count,
        processes=len(workers.records),
        batches=sum(len(record.start_s) for record in workers.records),
        startup_mean_s=float(np.mean(startup_s)) if startup_s else None,
        startup_max_s=max(startup_s, default=None),
        busy_s=workers.total_busy_s,
        unnamed_s=workers.busy_s.get(FETCH_LINE, 0.0),
        waited_s=sum(workers.waited_s.values()),
    )
