"""What each pass over the data read: the main thread in it, and the workers for it.

A worker begins the batches of a pass when the main thread asks for the pass's first one, so what it
began before a pass ended, and after the one before it did, was for that pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.analysis.sums import sum_of, sum_of_column
from ocr_baseline.model.run import ReadRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from ocr_baseline.analysis.phases.stage_times import StageTimes
    from ocr_baseline.model.run import WorkerRecord


def pass_readings(times: StageTimes, records: Iterable[WorkerRecord]) -> list[ReadRecord]:
    """Return what was read in each pass; a pass that was cut short knows nothing of itself."""
    table = times.table
    rows = list(times.passes())
    if table is None or not rows:
        return []
    mine = [record for record in records if record.stage is times.stage]
    main = [epoch.reading for epoch in times.record.epochs if epoch.batches]
    main += [ReadRecord()] * (len(rows) - len(main))
    lasts = np.asarray([taken.stop - 1 for taken in rows])
    ends_s = table.start_s[lasts] + table.duration_s[lasts]
    by_worker = [_by_pass(record, ends_s) for record in mine]
    return [
        together([main[position], *(passes[position] for passes in by_worker)])
        for position in range(len(rows))
    ]


def _by_pass(record: WorkerRecord, ends_s: NDArray[np.float64]) -> list[ReadRecord]:
    position = np.minimum(np.searchsorted(ends_s, record.start_s), len(ends_s) - 1)

    def split(column: NDArray[np.float64] | None) -> Sequence[float | None]:
        if column is None:
            return [None] * len(ends_s)
        sums: list[float] = np.bincount(position, column, minlength=len(ends_s)).tolist()
        return sums

    columns = zip(
        split(record.read_bytes), split(record.disk_bytes), split(record.disk_wait_s), strict=True
    )
    return [
        ReadRecord(read_bytes=read, disk_bytes=disk, disk_wait_s=wait)
        for read, disk, wait in columns
    ]


def worker_reading(records: Iterable[WorkerRecord]) -> ReadRecord:
    """Return what all workers of a stage read."""
    return together(
        ReadRecord(
            read_bytes=sum_of_column(record.read_bytes),
            disk_bytes=sum_of_column(record.disk_bytes),
            disk_wait_s=sum_of_column(record.disk_wait_s),
        )
        for record in records
    )


def together(readings: Iterable[ReadRecord]) -> ReadRecord:
    """Return the sum of readings; what one of them lacks isn't known of all."""
    every = list(readings)
    return ReadRecord(
        read_bytes=sum_of(one.read_bytes for one in every),
        disk_bytes=sum_of(one.disk_bytes for one in every),
        disk_wait_s=sum_of(one.disk_wait_s for one in every),
    )
