"""The numbers of a phase that every report shows, as texts, in the order of its rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ocr_baseline.model.document import Baseline, Distribution, Phase
from ocr_baseline.reports.text import formatting
from ocr_baseline.vocabulary import PHASE_NAMES

if TYPE_CHECKING:
    from ocr_baseline.vocabulary import PhaseName

NO_TIMES = Distribution(count=None)


class PhaseFact(NamedTuple):
    """One row: `label` has a place for the stage's name, `path` is the field in the phase.

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
    PhaseFact("Total {stage} Time", "total", "total_s"),
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
)


def phase_or_empty(baseline: Baseline, name: PhaseName) -> Phase:
    """Return the phase over all dataloaders, or one in which everything is missing."""
    return baseline.phase(name) or Phase(name=name)


def shown_phases(baseline: Baseline) -> list[PhaseName]:
    """Return the phases that a report shows: training and validation always, others when run."""
    ran = {phase.name for phase in baseline.phases}
    return [name for name in PHASE_NAMES if name in ("train", "validation") or name in ran]
