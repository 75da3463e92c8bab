"""One run reduced to what a comparison needs of it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ocr_baseline.comparison.metrics import METRICS, Metric
from ocr_baseline.errors import ComparisonError
from ocr_baseline.model.run import missing_entry

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline, Environment, Measurement, Phase, Workload
    from ocr_baseline.model.run import Missing, RunInfo

UNACCOUNTED = "unaccounted"
UNACCOUNTED_SHARE = 1e-3


@dataclass(frozen=True, kw_only=True)
class PhaseLines:
    """A phase's breakdown per batch: `total_s` and each line, in seconds a batch."""

    total_s: float
    lines_s: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """What a comparison needs of one run.

    `info`, `environment`, `workload`, `measurement` and `missing` are the document's own parts.
    `values` holds the metrics that were measured, by key, in the document's units. By phase,
    `scopes` names the batches that the statistics of batch times cover, and `block_means_s` holds
    the means of consecutive blocks of steady batches, where the source kept single batches.
    Copies of one run have the same `content`. `is_accepted_change` marks the first run after an
    accepted change: means restart with it.
    """

    label: str
    content: str
    info: RunInfo
    environment: Environment
    workload: Workload
    measurement: Measurement
    values: Mapping[str, float]
    schema_version: str = "1.0"
    missing: Sequence[Missing] = ()
    scopes: Mapping[str, str] = field(default_factory=dict)
    work: Mapping[str, float] = field(default_factory=dict)
    breakdowns: Mapping[str, PhaseLines] = field(default_factory=dict)
    block_means_s: Mapping[str, Sequence[float]] = field(default_factory=dict)
    is_accepted_change: bool = False

    def reason(self, metric: Metric) -> str | None:
        """Return why the metric has no value here, None where the document does not say."""
        entry = missing_entry(self.missing, metric.path)
        return None if entry is None else entry.detail or entry.reason.replace("_", " ")


def first_reason(metric: Metric, runs: Sequence[RunSummary]) -> str | None:
    """Return why a metric has no value, as the first of some runs that says it does."""
    return next((reason for run in runs if (reason := run.reason(metric)) is not None), None)


def summarize(baseline: Baseline, label: str | None = None) -> RunSummary:
    """Return the summary of a baseline.

    Args:
        baseline: The document.
        label: What messages call the run; its name or id when not given.

    Raises:
        ComparisonError: When a time, a size or a count is negative.
    """
    run = baseline.run
    name = label or run.name or run.id or "unnamed run"
    phases = baseline.whole_phases
    return RunSummary(
        label=name,
        content=_content(baseline),
        info=run,
        environment=baseline.environment,
        workload=baseline.workload,
        measurement=baseline.measurement,
        values=_values(baseline, name),
        schema_version=baseline.schema_version,
        missing=baseline.missing,
        scopes={phase.name: phase.batch_time_scope for phase in phases if phase.batch_time_scope},
        work=_work(baseline),
        breakdowns={phase.name: lines for phase in phases if (lines := _phase_lines(phase))},
        block_means_s={
            phase.name: tuple(phase.block_means_s) for phase in phases if phase.block_means_s
        },
    )


def _content(baseline: Baseline) -> str:
    """Return what is the same for two documents of one run, and for no two runs.

    A report that is written again has another `generated_at`, and another duration after a test.
    """
    run = baseline.run
    if run.started_at is not None and (run.id or run.name):
        return f"{run.project}/{run.id}/{run.name}@{run.started_at.isoformat()}"
    measured = baseline.model_dump_json(
        exclude={"generated_at", "generator", "environment", "workload", "run"}
    )
    return hashlib.sha256(f"{run.id}{measured}".encode()).hexdigest()


def _values(baseline: Baseline, label: str) -> dict[str, float]:
    values: dict[str, float] = {}
    present = {None, *(phase.name for phase in baseline.phases)}
    for metric in METRICS:
        if metric.phase not in present:
            continue
        value = metric.read(baseline)
        if value is None or not math.isfinite(value):
            continue
        if value < 0:
            raise ComparisonError(
                f"{label}: {metric.key} is {value:g} {metric.unit}, and it can't be negative: "
                "the document is damaged or was made by hand"
            )
        values[metric.key] = float(value)
    return values


def _work(baseline: Baseline) -> dict[str, float]:
    """Return how much was done in an epoch: counts that are equal for equal workloads."""
    work: dict[str, float] = {}
    for phase in baseline.whole_phases:
        if not phase.epochs:
            continue
        for quantity, count in (("batches", phase.batches), ("samples", phase.samples)):
            if count is not None:
                per_epoch = count / phase.epochs
                whole = int(per_epoch) if per_epoch.is_integer() else per_epoch
                work[f"{phase.name}.{quantity}_per_epoch"] = whole
    return work


def _phase_lines(phase: Phase) -> PhaseLines | None:
    if not phase.breakdown or not phase.batches or phase.total_s is None:
        return None
    lines_s: dict[str, float] = {}
    for line in phase.breakdown:
        lines_s[line.name] = lines_s.get(line.name, 0.0) + line.total_s / phase.batches
    total_s = phase.total_s / phase.batches
    rest_s = total_s - sum(lines_s.values())
    if abs(rest_s) > UNACCOUNTED_SHARE * total_s:
        lines_s[UNACCOUNTED] = rest_s
    return PhaseLines(total_s=total_s, lines_s=lines_s)


def other_batches(phase: str, base: Sequence[RunSummary], new: Sequence[RunSummary]) -> str | None:
    """Return that the sides' batches of a phase differ in size; None where they may be equal."""
    sizes = [[_batch_size(phase, run) for run in side] for side in (base, new)]
    before, after = ([size for size in side if size is not None] for side in sizes)
    if not before or not after:
        return None
    if min(low for low, _ in before) < max(high for _, high in after) and (
        min(low for low, _ in after) < max(high for _, high in before)
    ):
        return None
    held = " and ".join(
        f"{min(low for low, _ in side):,.4g} in the {name}"
        for side, name in ((before, "base"), (after, "new runs"))
    )
    return f"batches differ in size, so only times per sample compare: samples {held}"


def _batch_size(phase: str, run: RunSummary) -> tuple[float, float] | None:
    """Return between what a whole batch's samples are: the last one of an epoch may hold fewer."""
    samples = run.work.get(f"{phase}.samples_per_epoch")
    batches = run.work.get(f"{phase}.batches_per_epoch")
    if not samples or not batches:
        return None
    return samples / batches, samples / (batches - 1) if batches > 1 else math.inf
