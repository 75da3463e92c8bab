"""The numbers of a phase that every report shows, as texts, in the order of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.model.document import Baseline, Distribution, Phase
from ocr_baseline.reports.text import formatting
from ocr_baseline.vocabulary import PHASE_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from ocr_baseline.vocabulary import PhaseName

NO_TIMES = Distribution(count=None)


@dataclass(frozen=True, kw_only=True)
class PhaseFact:
    """One row: `label` has a place for the stage's name, `path` is the field in the phase.

    An optional row is left out where it was not measured.
    """

    label: str
    short_label: str
    path: str
    text: Callable[[Phase], str]
    is_optional: bool = False


def batch_times(phase: Phase) -> Distribution:
    """Return the phase's batch times, with every statistic missing where it has none."""
    return phase.batch_time_s or NO_TIMES


PHASE_FACTS = (
    PhaseFact(
        label="Total {stage} Time",
        short_label="total",
        path="total_s",
        text=lambda phase: formatting.duration(phase.total_s),
    ),
    PhaseFact(
        label="Number of Epochs",
        short_label="epochs",
        path="epochs",
        text=lambda phase: formatting.count(phase.epochs),
    ),
    PhaseFact(
        label="Number of Batches",
        short_label="batches",
        path="batches",
        text=lambda phase: formatting.count(phase.batches),
    ),
    PhaseFact(
        label="Number of Samples",
        short_label="samples",
        path="samples",
        text=lambda phase: formatting.count(phase.samples),
    ),
    PhaseFact(
        label="Mean Batch Time",
        short_label="mean batch",
        path="batch_time_s.mean",
        text=lambda phase: formatting.duration(batch_times(phase).mean),
    ),
    PhaseFact(
        label="Median Batch Time",
        short_label="median batch",
        path="batch_time_s.median",
        text=lambda phase: formatting.duration(batch_times(phase).median),
    ),
    PhaseFact(
        label="P95 Batch Time",
        short_label="p95 batch",
        path="batch_time_s.p95",
        text=lambda phase: formatting.duration(batch_times(phase).p95),
    ),
    PhaseFact(
        label="P99 Batch Time",
        short_label="p99 batch",
        path="batch_time_s.p99",
        text=lambda phase: formatting.duration(batch_times(phase).p99),
    ),
    PhaseFact(
        label="Batch Time Standard Deviation",
        short_label="std of batches",
        path="batch_time_s.std",
        text=lambda phase: formatting.duration(batch_times(phase).std),
    ),
    PhaseFact(
        label="Time per Sample",
        short_label="per sample",
        path="sample_time_s",
        text=lambda phase: formatting.duration(phase.sample_time_s),
    ),
    PhaseFact(
        label="Throughput",
        short_label="throughput",
        path="throughput_samples_per_s",
        text=lambda phase: formatting.samples_per_s(phase.throughput_samples_per_s),
    ),
    PhaseFact(
        label="Accelerator Busy",
        short_label="accelerator busy",
        path="accelerator_utilization.mean_percent",
        text=lambda phase: formatting.percent(
            phase.accelerator_utilization.mean_percent if phase.accelerator_utilization else None
        ),
        is_optional=True,
    ),
)


def phase_or_empty(baseline: Baseline, name: PhaseName) -> Phase:
    """Return the phase over all dataloaders, or one in which everything is missing."""
    return baseline.phase(name) or Phase(name=name)


def shown_phases(baseline: Baseline) -> list[PhaseName]:
    """Return the phases that a report shows: training and validation always, others when run."""
    ran = {phase.name for phase in baseline.phases}
    return [name for name in PHASE_NAMES if name in ("train", "validation") or name in ran]
