"""Which samples took the loader's workers longest, where some took far longer than most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.story.run_facts import quoted
from ocr_baseline.reports.text import formatting, wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.model.document import Baseline, SlowBatch, SlowSample, Workers

MOST = 5
MOST_INDICES = 8
FAR_LONGER = 2.0


def slow_sample_lines(baseline: Baseline) -> Iterator[str]:
    """Yield a sentence for each phase with slow samples, or slow batches where none were timed."""
    for workers in baseline.workers:
        told = _samples(workers) if workers.slowest_samples else _batches(workers)
        if told is not None:
            yield f"{wording.stage_adjective(workers.phase)}: {told}."


def _samples(workers: Workers) -> str | None:
    mean_s = workers.sample_mean_s
    if not mean_s or workers.slowest_samples[0].time_s < FAR_LONGER * mean_s:
        return None
    slow = [one for one in workers.slowest_samples[:MOST] if one.time_s >= FAR_LONGER * mean_s]
    usual = formatting.duration(mean_s)
    return f"the slowest samples are {', '.join(map(_sample, slow))} (on average {usual})"


def _sample(sample: SlowSample) -> str:
    file = "" if sample.file is None else f" {quoted(sample.file)}"
    return f"number {sample.index}{file} with {formatting.duration(sample.time_s)}"


def _batches(workers: Workers) -> str | None:
    known = [one for one in workers.slowest_batches if one.indices]
    mean_s = workers.busy_s / workers.batches if workers.batches else 0.0
    if not known or not mean_s or known[0].time_s < FAR_LONGER * mean_s:
        return None
    usual = formatting.duration(mean_s)
    return f"the slowest batch took {_batch(known[0])} (on average {usual})"


def _batch(batch: SlowBatch) -> str:
    indices = batch.indices or []
    more = ", …" if len(indices) > MOST_INDICES else ""
    numbers = ", ".join(map(str, indices[:MOST_INDICES]))
    return f"{formatting.duration(batch.time_s)}, with the samples {numbers}{more}"
