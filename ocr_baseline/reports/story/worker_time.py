"""What loader workers did while they made batches: computed, stood ready for a core, waited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.text import formatting, wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.model.document import Baseline, Workers


def worker_time_lines(baseline: Baseline) -> Iterator[str]:
    """Yield a sentence for each phase whose workers' processor time was measured."""
    for workers in baseline.workers:
        if workers.cpu_share is not None:
            stage = wording.stage_adjective(workers.phase)
            yield f"{stage} workers {_split(workers)}{_received(workers)}."


def _received(workers: Workers) -> str:
    times = workers.receive_time_s
    if times is None or times.median is None:
        return ""
    median, count = formatting.duration(times.median), formatting.count(times.count)
    return f". A batch that was ready took {median} to receive (median of {count})"


def _split(workers: Workers) -> str:
    cpu_share = workers.cpu_share or 0.0
    if cpu_share > 1:
        return f"used {cpu_share:.1f} cores each while they made batches"
    computed = f"computed for {formatting.share(cpu_share)} of the time that they made batches"
    if workers.queued_s is None:
        return f"{computed} and waited for {formatting.share(1 - cpu_share)}"
    queued_share = min(workers.queued_s / workers.busy_s, 1 - cpu_share)
    waited_share = 1 - cpu_share - queued_share
    return (
        f"{computed}, waited for a free core for {formatting.share(queued_share)}, and waited "
        f"otherwise for {formatting.share(waited_share)}"
    )
