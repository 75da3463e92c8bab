"""Sentences on how the numbers were taken, and what the taking cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.story.run_facts import quoted
from ocr_baseline.reports.text import formatting, wording
from ocr_baseline.sources import find_source

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline, Measurement, Phase

MAX_NOTES = 30
_SCOPES = {
    "steady batches": "the {} steady-state batches",
    "all batches": "all {} batches",
    "last logged epoch": "the {} batches of the last logged epoch",
}


def batch_time_notes(phase: Phase) -> list[str]:
    """Return which batches the statistics of the phase cover, and which they leave out."""
    times, warmup = phase.batch_time_s, phase.warmup
    notes = []
    if times is not None and times.count and phase.batch_time_scope is not None:
        scope = _SCOPES[phase.batch_time_scope].format(formatting.count(times.count))
        covered = "1 batch" if times.count == 1 else scope
        notes.append(f"Batch times cover {covered}.")
    if warmup is not None and warmup.batches:
        took = f" ({formatting.duration(warmup.total_s)})" if warmup.total_s is not None else ""
        batches = (
            f"The warm-up batch{took} counts"
            if warmup.batches == 1
            else f"The {formatting.count(warmup.batches)} warm-up batches{took} count"
        )
        notes.append(f"{batches} toward totals only: {warmup.rule.rstrip('.')}.")
    elif warmup is not None:
        notes.append(f"Warm-up: {warmup.rule.rstrip('.')}.")
    return [" ".join(notes)] if notes else []


def measurement_notes(baseline: Baseline) -> list[str]:
    """Return the source, the clock, the cost of measuring, notes and warnings."""
    measurement = baseline.measurement
    source = find_source(baseline.run.source).basis
    sentences = [f"Source: {source}."]
    if measurement.clock:
        sentences.append(f"Clock: {quoted(measurement.clock)}.")
    sentences.append(_cost(baseline, measurement))
    sentences.extend(wording.as_sentence(note) for note in measurement.notes)
    sentences.extend(f"Warning: {wording.as_sentence(warning)}" for warning in measurement.warnings)
    rest = len(sentences) - MAX_NOTES
    more = [f"{rest:,} more notes and warnings are in `baseline.json`."] if rest > 0 else []
    return sentences[:MAX_NOTES] + more


def _cost(baseline: Baseline, measurement: Measurement) -> str:
    if measurement.overhead_s is None:
        return f"Cost of measuring: {wording.not_measured(baseline, 'measurement.overhead_s')}."
    details = []
    if measurement.overhead_share is not None:
        details.append(f"{formatting.share(measurement.overhead_share)} of the measured time")
    if measurement.per_batch_overhead_s is not None:
        details.append(f"{formatting.duration(measurement.per_batch_overhead_s)} per batch")
    if measurement.background_cpu_s is not None:
        background = formatting.duration(measurement.background_cpu_s)
        details.append(f"{background} of CPU time in the background")
    within = f" ({', '.join(details)})" if details else ""
    return f"Cost of measuring: {formatting.duration(measurement.overhead_s)}{within}."
