"""The tables of a phase's section in the Markdown report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.run.phase_facts import NO_TIMES, PHASE_FACTS, batch_times, phase_or_empty
from ocr_baseline.reports.text import formatting, wording
from ocr_baseline.reports.text.markdown_text import MarkdownText, code, fraction_bar, table
from ocr_baseline.vocabulary import PhaseName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.model.document import Baseline, BreakdownLine, DeviceTime, Phase

MAX_EPOCHS = 10
SMALL_SHARE = 0.001


def phase_table(baseline: Baseline, name: PhaseName) -> MarkdownText:
    """Totals and batch statistics; what is missing says why, unless the whole phase is missing."""
    phase = phase_or_empty(baseline, name)
    is_measured = wording.has_measurements(phase)
    stage = wording.stage_adjective(name)
    rows = []
    for fact in PHASE_FACTS:
        text = fact.text(phase)
        if text == formatting.NOT_MEASURED and fact.is_optional:
            continue
        if text == formatting.NOT_MEASURED and is_measured:
            text = wording.not_measured(baseline, f"phases.{name}.{fact.path}")
        rows.append([MarkdownText(f"**{fact.label.format(stage=stage)}**"), text])
    return table(["Metric", "Value"], rows, "lr")


def breakdown_table(phase: Phase) -> MarkdownText:
    """The lines of a phase's time, the longest first, with the phase's total below."""
    rows: list[list[str]] = []
    for line in sorted(phase.breakdown, key=lambda line: -line.total_s):
        if _is_small(line):
            continue
        rows.append(_line_row(code(line.name), line, fraction_bar(line.share)))
        rows.extend(
            _line_row(MarkdownText(f"of which {code(part.name)}"), part, "")
            for part in line.parts
            if not _is_small(part)
        )
    rows.append([MarkdownText("**Total**"), "", "", formatting.duration(phase.total_s), ""])
    return table(["Line", "Share", "", "Total", "Per batch"], rows, "lrlrr")


def _is_small(line: BreakdownLine) -> bool:
    return line.share is not None and line.share < SMALL_SHARE


def _line_row(label: MarkdownText, line: BreakdownLine, bar: str) -> list[str]:
    return [
        label,
        formatting.share(line.share),
        bar,
        formatting.duration(line.total_s),
        formatting.duration(line.per_batch_s),
    ]


def small_lines(phase: Phase) -> list[MarkdownText]:
    """Names of the lines whose share is too small for a row of the breakdown."""
    return [code(line.name) for line in phase.breakdown if _is_small(line)]


def device_note(device: DeviceTime) -> str:
    """Which batches, on which clock."""
    times = device.batch_time_s
    return (
        f"{formatting.count(device.batches)} steady-state batches timed by {device.clock}: mean "
        f"{formatting.duration(times.mean)}, median {formatting.duration(times.median)}, p95 "
        f"{formatting.duration(times.p95)}. The tables above use the host's clock."
    )


def device_table(device: DeviceTime) -> MarkdownText:
    """Lines of the batches that were timed on the device."""
    rows = [
        [code(line.name), formatting.share(line.share), formatting.duration(line.per_batch_s)]
        for line in device.breakdown
    ]
    return table(["Line", "Share", "Per batch"], rows, "lrr")


def dataloader_table(phases: Sequence[Phase]) -> MarkdownText:
    """One row for each dataloader of a phase."""
    rows = []
    for phase in phases:
        times = batch_times(phase)
        rows.append(
            [
                "all" if phase.dataloader is None else str(phase.dataloader),
                formatting.count(phase.batches),
                formatting.duration(phase.total_s),
                formatting.duration(times.mean),
                formatting.duration(times.median),
                formatting.duration(times.p95),
                formatting.duration(times.p99),
                formatting.duration(phase.sample_time_s),
            ]
        )
    headers = ["Dataloader", "Batches", "Total", "Mean", "Median", "P95", "P99", "Per sample"]
    return table(headers, rows, "lrrrrrrr")


def epoch_table(phase: Phase) -> MarkdownText:
    """The phase's last epochs."""
    rows = []
    for epoch in phase.per_epoch[-MAX_EPOCHS:]:
        times = epoch.batch_time_s or NO_TIMES
        rows.append(
            [
                formatting.count(epoch.epoch),
                formatting.count(epoch.batches),
                formatting.duration(epoch.total_s),
                formatting.duration(times.median),
                formatting.duration(times.p95),
            ]
        )
    return table(["Epoch", "Batches", "Total", "Median batch", "P95 batch"], rows, "rrrrr")
