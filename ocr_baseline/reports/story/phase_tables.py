"""The numbers of the phases: the rows that every report shows, and their tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ocr_baseline.model.document import Baseline, Distribution, Phase
from ocr_baseline.reports.story.run_facts import quoted
from ocr_baseline.reports.text import formatting, wording
from ocr_baseline.reports.text.formatting import NOT_MEASURED
from ocr_baseline.reports.text.tables import Bar, Name, Strong, Table
from ocr_baseline.vocabulary import PHASE_NAMES, PhaseName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.model.document import BreakdownLine, DeviceTime

MAX_EPOCHS = 10
MAX_LINES = 15
MAX_PARTS = 8
MAX_LOADERS = 16
SMALL_SHARE = 0.001
NO_TIMES = Distribution(count=None)


class PhaseFact(NamedTuple):
    """One row: `path` is the field in the phase.

    An optional row is left out where it was not measured.
    """

    label: str
    short_label: str
    path: str
    formatter: Callable[[float | None], str] = formatting.duration
    is_optional: bool = False

    def text(self, phase: Phase) -> str:
        """Return the number as it is shown, or that it was not measured."""
        value: Any = phase
        for name in self.path.split("."):
            value = None if value is None else getattr(value, name)
        return self.formatter(value)


def batch_times(phase: Phase) -> Distribution:
    """Return the phase's batch times, with every statistic missing where it has none."""
    return phase.batch_time_s or NO_TIMES


PHASE_FACTS = (
    PhaseFact("Total Time", "total", "total_s"),
    PhaseFact("Number of Epochs", "epochs", "epochs", formatting.count),
    PhaseFact("Number of Batches", "batches", "batches", formatting.count),
    PhaseFact("Number of Samples", "samples", "samples", formatting.count),
    PhaseFact("Mean Batch Time", "mean batch", "batch_time_s.mean"),
    PhaseFact("Median Batch Time", "median batch", "batch_time_s.median"),
    PhaseFact("P95 Batch Time", "p95 batch", "batch_time_s.p95"),
    PhaseFact("P99 Batch Time", "p99 batch", "batch_time_s.p99"),
    PhaseFact("Batch Time Standard Deviation", "std of batches", "batch_time_s.std"),
    PhaseFact("Time per Sample", "per sample", "sample_time_s"),
    PhaseFact("Throughput", "throughput", "throughput_samples_per_s", formatting.samples_per_s),
    PhaseFact(
        "Accelerator Busy",
        "accelerator busy",
        "accelerator_utilization.mean_percent",
        formatting.percent,
        is_optional=True,
    ),
    *(
        PhaseFact(
            f"Accelerator Idle: {cause}", short, f"accelerator_idle.{part}", formatting.share, True
        )
        for cause, short, part in (
            ("Waiting for Data", "idle for data", "data_share"),
            ("Steps Queued Late", "idle for the host", "host_bound_share"),
            ("Beside the Steps", "idle beside the steps", "beside_share"),
        )
    ),
    PhaseFact("Achieved Operations", "FLOP/s", "flops.flops_per_s", formatting.flops_per_s, True),
    PhaseFact("Share of Peak (MFU)", "MFU", "flops.mfu", formatting.share, True),
)


def phase_or_empty(baseline: Baseline, name: PhaseName) -> Phase:
    """Return the phase over all dataloaders, or one in which everything is missing."""
    return baseline.phase(name) or Phase(name=name)


def shown_phases(baseline: Baseline) -> list[PhaseName]:
    """Return the phases that a report shows: training and validation always, others when run."""
    ran = {phase.name for phase in baseline.phases}
    return [name for name in PHASE_NAMES if name in ("train", "validation") or name in ran]


def merged_table(baseline: Baseline) -> Table | None:
    """A row for each number that a phase has, a column for each phase; None without any number."""
    phases = [phase_or_empty(baseline, name) for name in shown_phases(baseline)]
    rows = [
        [Strong(fact.label), *(fact.text(phase) for phase in phases)]
        for fact in PHASE_FACTS
        if _is_in_any(fact, phases)
    ]
    headers = ["", *(wording.stage_adjective(phase.name) for phase in phases)]
    return Table(headers=headers, rows=rows, align="l" + "r" * len(phases)) if rows else None


def measured_in_no_phase(baseline: Baseline) -> list[str]:
    """Return what the merged table has no row for, but would have."""
    phases = [phase_or_empty(baseline, name) for name in shown_phases(baseline)]
    return [
        fact.short_label
        for fact in PHASE_FACTS
        if not fact.is_optional and not _is_in_any(fact, phases)
    ]


def _is_in_any(fact: PhaseFact, phases: Sequence[Phase]) -> bool:
    return any(fact.text(phase) != NOT_MEASURED for phase in phases)


def breakdown_table(phase: Phase) -> Table:
    """The longest lines of a phase's time, with the phase's total below."""
    rows: list[list[str]] = []
    for line in _longest(phase):
        rows.append(_line_row(Name(line.name), line, Bar(line.share)))
        rows.extend(
            _line_row(f"of which {quoted(part.name)}", part, "")
            for part in line.parts[:MAX_PARTS]
            if not _is_small(part)
        )
    rows.append([Strong("Total"), "", "", formatting.duration(phase.total_s), ""])
    headers = ["Line", "Share", "", "Total", "Per batch"]
    return Table(headers=headers, rows=rows, align="lrlrr")


def _longest(phase: Phase) -> list[BreakdownLine]:
    lines = sorted(phase.breakdown, key=lambda line: -line.total_s)
    return [line for line in lines[:MAX_LINES] if not _is_small(line)]


def _is_small(line: BreakdownLine) -> bool:
    return line.share is not None and line.share < SMALL_SHARE


def _line_row(label: str, line: BreakdownLine, bar: str) -> list[str]:
    return [
        label,
        formatting.share(line.share),
        bar,
        formatting.duration(line.total_s),
        formatting.duration(line.per_batch_s),
    ]


def small_lines(phase: Phase) -> list[str]:
    """Names of the lines that have no row of the breakdown."""
    shown = {line.name for line in _longest(phase)}
    return [line.name for line in phase.breakdown if line.name not in shown]


def device_note(device: DeviceTime) -> str:
    """Which batches, on which clock."""
    times = device.batch_time_s
    return (
        f"{formatting.count(device.batches)} steady-state batches timed by {device.clock}: mean "
        f"{formatting.duration(times.mean)}, median {formatting.duration(times.median)}, p95 "
        f"{formatting.duration(times.p95)}. The tables above use the host's clock."
    )


def device_table(device: DeviceTime) -> Table:
    """Lines of the batches that were timed on the device."""
    rows = [
        [Name(line.name), formatting.share(line.share), formatting.duration(line.per_batch_s)]
        for line in device.breakdown
    ]
    return Table(headers=["Line", "Share", "Per batch"], rows=rows, align="lrr")


def dataloader_table(phases: Sequence[Phase]) -> Table:
    """One row for each dataloader of a phase."""
    rows = []
    for phase in phases[:MAX_LOADERS]:
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
    return Table(headers=headers, rows=rows, align="lrrrrrrr")


def epoch_table(phase: Phase) -> Table:
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
    headers = ["Epoch", "Batches", "Total", "Median batch", "P95 batch"]
    return Table(headers=headers, rows=rows, align="rrrrr")
