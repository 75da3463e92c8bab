"""One run reduced to what a comparison needs of it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ocr_baseline.comparison.metrics import METRICS, Metric
from ocr_baseline.errors import ComparisonError

if TYPE_CHECKING:
    from datetime import datetime

    from pydantic import JsonValue

    from ocr_baseline.model.document import Baseline, Phase

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

    `values` holds the metrics that were measured, by key, in the document's units; `reasons` says
    why others were not, where the document says so. `scopes` names, by phase, which batches the
    statistics of batch times cover. `block_means_s` holds, by phase, the means of consecutive
    blocks of steady batches, where the source kept single batches. `content` tells a run from its
    copies. `is_accepted_change` marks the first run after a change that was accepted: means start
    anew with it.
    """

    label: str
    content: str
    schema_version: str = "1.0"
    source: str = "recorder"
    status: str = "unknown"
    started_at: datetime | None = None
    values: Mapping[str, float]
    reasons: Mapping[str, str] = field(default_factory=dict)
    scopes: Mapping[str, str] = field(default_factory=dict)
    clock: str | None = None
    work: Mapping[str, float] = field(default_factory=dict)
    identity: Mapping[str, JsonValue] = field(default_factory=dict)
    volatile: Mapping[str, JsonValue] = field(default_factory=dict)
    config: Mapping[str, JsonValue] | None = None
    config_hash: str | None = None
    data_hash: str | None = None
    breakdowns: Mapping[str, PhaseLines] = field(default_factory=dict)
    block_means_s: Mapping[str, Sequence[float]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    is_accepted_change: bool = False


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
    values = _values(baseline, name)
    phases = baseline.whole_phases
    return RunSummary(
        label=name,
        content=_content(baseline),
        schema_version=baseline.schema_version,
        source=run.source,
        status=run.status,
        started_at=run.started_at,
        values=values,
        reasons=_reasons(baseline, values),
        scopes={phase.name: phase.batch_time_scope for phase in phases if phase.batch_time_scope},
        clock=baseline.measurement.clock,
        work=_work(baseline),
        identity=baseline.environment.identity,
        volatile=baseline.environment.volatile,
        config=baseline.workload.config,
        config_hash=baseline.workload.config_hash,
        data_hash=baseline.workload.data_hash,
        breakdowns={phase.name: lines for phase in phases if (lines := _phase_lines(phase))},
        block_means_s={
            phase.name: tuple(phase.block_means_s) for phase in phases if phase.block_means_s
        },
        warnings=tuple(baseline.measurement.warnings),
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


def _reasons(baseline: Baseline, measured: Mapping[str, float]) -> dict[str, str]:
    """Return why metrics have no value; an entry for a part of the document covers all of it."""
    entries = {entry.metric.removeprefix("phases."): entry for entry in reversed(baseline.missing)}
    reasons: dict[str, str] = {}
    if not entries:
        return reasons
    for metric in METRICS:
        if metric.key not in measured:
            found = next((entries[path] for path in _PATHS[metric.key] if path in entries), None)
            if found is not None:
                reasons[metric.key] = found.detail or found.reason.replace("_", " ")
    return reasons


def _paths(metric: Metric) -> tuple[str, ...]:
    parts = metric.path.removeprefix("phases.").split(".")
    return tuple(".".join(parts[:length]) for length in range(len(parts), 0, -1))


_PATHS = {metric.key: _paths(metric) for metric in METRICS}
"""The metric's place in the document and every part around it, the narrowest first."""


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
