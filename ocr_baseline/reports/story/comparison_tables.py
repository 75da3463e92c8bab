"""Validation against training as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.model.document import TrainVsValidation
from ocr_baseline.reports.story.phase_tables import batch_times, phase_or_empty
from ocr_baseline.reports.text import formatting, wording
from ocr_baseline.reports.text.plain_text import counted
from ocr_baseline.reports.text.tables import Bar, Name, Strong, Table
from ocr_baseline.vocabulary import PhaseName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.model.document import Baseline, Ratio
    from ocr_baseline.reports.story.parts import Versus

MAX_STEPS = 8
"""Steps of the waterfall that have a row of their own; a screen has no room for more."""


def ratio_table(baseline: Baseline) -> Table:
    """Validation divided by training, per sample, per batch and per epoch."""
    compared = baseline.train_vs_validation or TrainVsValidation()
    both = [phase_or_empty(baseline, "train"), phase_or_empty(baseline, "validation")]
    samples = [formatting.duration(phase.sample_time_s) for phase in both]
    batches = [formatting.duration(batch_times(phase).mean) for phase in both]
    epochs = [formatting.duration(phase.epoch_time_s) for phase in both]
    rows = [
        _ratio_row(baseline, "Per sample", "sample_ratio", compared.sample_ratio, samples),
        _ratio_row(baseline, "Per batch", "batch_ratio", compared.batch_ratio, batches),
        _ratio_row(baseline, "Per epoch", "epoch_ratio", compared.epoch_ratio, epochs),
    ]
    headers = ["Mean time", "Training", "Validation", "Validation / training", "95% interval"]
    return Table(headers=headers, rows=rows, align="lrrrr")


def waterfall_table(baseline: Baseline, compared: Versus) -> Table | None:
    """From the time of a training sample to that of a validation sample, line by line."""
    if not compared.steps:
        return None
    most = len(compared.steps) if len(compared.steps) <= MAX_STEPS + 1 else MAX_STEPS
    largest_s = abs(compared.steps[0].delta_s)
    rows = [
        [
            Name(step.name),
            formatting.duration(step.delta_s, signed=True),
            Bar(abs(step.delta_s) / largest_s),
        ]
        for step in compared.steps[:most]
    ]
    rest = compared.steps[most:]
    if rest:
        together_s = sum(step.delta_s for step in rest)
        name = counted(len(rest), "more line")
        rows.append([name, formatting.duration(together_s, signed=True), ""])
    rows.insert(0, _sample_row(baseline, "train"))
    rows.append(_sample_row(baseline, "validation"))
    return Table(headers=["", "Time per sample", ""], rows=rows, align="lr")


def _sample_row(baseline: Baseline, name: PhaseName) -> list[str]:
    sample_time_s = phase_or_empty(baseline, name).sample_time_s
    label = Strong(f"{wording.stage_adjective(name)} sample")
    return [label, formatting.duration(sample_time_s), ""]


def _ratio_row(
    baseline: Baseline, label: str, field: str, ratio: Ratio | None, times: Sequence[str]
) -> list[str]:
    if ratio is None:
        return [label, *times, wording.not_measured(baseline, f"train_vs_validation.{field}"), ""]
    interval = ""
    if ratio.low is not None and ratio.high is not None:
        interval = f"{formatting.times(ratio.low)} to {formatting.times(ratio.high)}"
    return [label, *times, formatting.ratio(ratio.value), interval]
