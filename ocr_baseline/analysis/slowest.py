"""The slowest samples and batches of a stage's workers, each with its epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.model.document import SlowBatch, SlowSample, Workers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ocr_baseline.analysis.phases.stage_times import StageTimes
    from ocr_baseline.model.run import Run, WorkerRecord
    from ocr_baseline.model.slowest import SlowBatchRecord


def with_slowest(workers: Workers, times: StageTimes, run: Run) -> Workers:
    """Return the workers' account with what took them longest, as far as it was recorded."""
    found = next((one for one in run.slowest if one.stage is times.stage), None)
    if found is None:
        return workers
    mean_s = found.samples_s / found.samples_timed if found.samples_timed else None
    return workers.model_copy(
        update={
            "sample_mean_s": mean_s,
            "slowest_samples": [
                SlowSample(
                    index=one.index,
                    time_s=one.took_s,
                    epoch=_epoch_at(times, one.start_s),
                    file=one.file,
                )
                for one in found.samples
            ],
            "slowest_batches": [
                SlowBatch(
                    time_s=one.took_s,
                    epoch=_epoch_at(times, one.start_s),
                    indices=None if one.indices is None else list(one.indices),
                    disk_read_bytes=_disk_bytes(one, run.workers),
                )
                for one in found.batches
            ],
        }
    )


def _epoch_at(times: StageTimes, moment_s: float) -> int | None:
    """Return the epoch of the pass that a worker was making batches for."""
    table, rows = times.table, list(times.passes())
    if table is None or not rows:
        return None
    lasts = np.asarray([taken.stop - 1 for taken in rows])
    ends_s = table.start_s[lasts] + table.duration_s[lasts]
    position = min(int(np.searchsorted(ends_s, moment_s)), len(rows) - 1)
    return int(table.epoch[rows[position].start])


def _disk_bytes(batch: SlowBatchRecord, records: Iterable[WorkerRecord]) -> float | None:
    """Return what the worker read from disk for the batch."""
    for record in records:
        is_its = (record.worker, record.pid) == (batch.worker, batch.pid)
        if is_its and record.disk_bytes is not None:
            [rows] = np.nonzero(record.start_s == batch.start_s)
            if len(rows):
                return float(record.disk_bytes[rows[0]])
    return None
