"""The numbers of one phase that logged metrics hold as well as the recorder's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline


def phase_numbers(baseline: Baseline, name: str) -> dict[str, float | None]:
    """Return counts, seconds and, of each epoch, seconds and the statistics of its batches."""
    phase = baseline.phase(name)
    assert phase is not None
    numbers: dict[str, float | None] = {
        "epochs": phase.epochs,
        "batches": phase.batches,
        "samples": phase.samples,
        "total_s": phase.total_s,
    }
    for summary in phase.per_epoch:
        times_s = summary.batch_time_s
        assert times_s is not None
        numbers |= {
            f"{summary.epoch} total_s": summary.total_s,
            f"{summary.epoch} batches": summary.batches,
            f"{summary.epoch} mean": times_s.mean,
            f"{summary.epoch} median": times_s.median,
            f"{summary.epoch} p95": times_s.p95,
            f"{summary.epoch} p99": times_s.p99,
            f"{summary.epoch} std": times_s.std,
        }
    return numbers
