"""`compare`: two sides of runs, metric by metric, line by line, field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING

from ocr_baseline.comparison import intervals, judging
from ocr_baseline.comparison.breakdown import PhaseChange, phase_changes
from ocr_baseline.comparison.estimation import (
    Design,
    Sides,
    design_of,
    estimate_change,
    stretches,
)
from ocr_baseline.comparison.identity import Difference, differences
from ocr_baseline.comparison.judging import VERDICTS, Judgement, Verdict
from ocr_baseline.comparison.metrics import Metric
from ocr_baseline.comparison.options import Options, configured_metrics
from ocr_baseline.comparison.sides import (
    Side,
    check_sides,
    distinct,
    latest,
    level_notes,
    reading_notes,
)
from ocr_baseline.comparison.sittings import in_time_order, sittings_of
from ocr_baseline.comparison.summary import first_reason, other_batches
from ocr_baseline.errors import SettingError

if TYPE_CHECKING:
    from ocr_baseline.comparison.intervals import Estimate
    from ocr_baseline.comparison.summary import RunSummary


@dataclass(frozen=True, kw_only=True)
class MetricComparison:
    """One metric on both sides.

    `base` and `new` are the geometric means of the runs' values (the means, on a linear scale).
    `change`, `low` and `high` are shares of the base, on a linear scale amounts in the unit;
    `is_descriptive` says that the interval leaves out what differs between runs or sittings.
    `margin` is on the same scale as `change`.
    """

    metric: Metric
    base_values: tuple[float, ...]
    new_values: tuple[float, ...]
    base: float | None
    new: float | None
    change: float | None
    low: float | None
    high: float | None
    margin: float | None
    method: intervals.Method | None
    p_value: float | None
    judgement: Judgement

    @property
    def verdict(self) -> Verdict:
        """The verdict's word."""
        return self.judgement.verdict

    @property
    def is_descriptive(self) -> bool:
        """Whether the interval leaves out what differs from run to run, or between sittings."""
        return self.method in ("within run", "one sitting a side")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Everything that comparing two sides gave.

    `not_measured` lacks a value on both sides; metrics of a device that no machine of them has
    are left out.
    """

    design: Design
    base: Side
    new: Side
    differences: tuple[Difference, ...]
    metrics: tuple[MetricComparison, ...]
    breakdowns: tuple[PhaseChange, ...]
    not_measured: tuple[str, ...]
    notes: tuple[str, ...]
    is_calibrated: bool = False

    @property
    def obstacles(self) -> tuple[Difference, ...]:
        """The differences that make the sides incomparable."""
        return tuple(difference for difference in self.differences if difference.forbids)

    def with_verdict(self, *verdicts: Verdict) -> tuple[MetricComparison, ...]:
        """Return the metrics that have one of these verdicts.

        Raises:
            SettingError: There is no such verdict; the message lists them.
        """
        unknown = [verdict for verdict in verdicts if verdict not in VERDICTS]
        if unknown:
            raise SettingError(f"no verdict {unknown[0]!r}: choose from {', '.join(VERDICTS)}")
        return tuple(metric for metric in self.metrics if metric.verdict in verdicts)

    def _repr_html_(self) -> str:
        """Return the page in a frame, which is what a notebook shows."""
        # By name, as for the Markdown: comparing stands below the renderers and imports none.
        page: str = import_module("ocr_baseline").render(self, "html")
        frame: str = import_module("ocr_baseline.reports.page.notebook").framed(page)
        return frame

    def _repr_markdown_(self) -> str:
        """Return the comparison in Markdown, which a notebook that shows no HTML shows."""
        text: str = import_module("ocr_baseline").render(self, "markdown")
        return text


def compare(
    base: Sequence[RunSummary], new: Sequence[RunSummary], options: Options | None = None
) -> Comparison:
    """Return the comparison of two sides.

    Copies of a run on one side count once. Runs of the base before its last accepted change only
    lend their spread.

    Raises:
        ComparisonError: When a side is empty, when a run is on both sides, or when an option
            does not fit the runs.
    """
    options = options or Options()
    base, base_notes = distinct(base, "base")
    new, new_notes = distinct(new, "new")
    check_sides(base, new, options)
    sittings: Mapping[str, int]
    if options.is_paired:
        sittings = {run.content: pair for side in (base, new) for pair, run in enumerate(side)}
    else:
        sittings = sittings_of(base, new, options.sittings)
        base = in_time_order(base)
    base, cut_notes = latest(base, new, sittings)
    sides = Sides(base=stretches(base), new=new, sittings=sittings)
    recent = sides.base[-1]
    found = differences(recent, new, options.across)
    is_comparable = not any(difference.forbids for difference in found)
    calibrated = options.calibration is not None and options.calibration.fits(recent[0])
    usable = options if calibrated else replace(options, calibration=None)
    metrics = configured_metrics(options)
    levels = {
        metric: sides.levels(metric) for metric in metrics if _is_on_a_side(metric, recent, new)
    }
    measured = [
        _compare_metric(metric, sides, found, usable, is_comparable)
        for metric, found in levels.items()
    ]
    return Comparison(
        design=design_of(base, new, usable),
        base=Side(runs=tuple(recent)),
        new=Side(runs=tuple(new)),
        differences=tuple(found),
        metrics=tuple(_adjusted(measured)),
        breakdowns=phase_changes(_levels_of_phases(levels), sides),
        not_measured=tuple(
            metric.key
            for metric in metrics
            if not _is_on_a_side(metric, recent, new)
            and not is_of_absent_device(metric, [*recent, *new])
        ),
        notes=(
            *base_notes,
            *new_notes,
            *cut_notes,
            *level_notes(levels, recent),
            *reading_notes(recent, new, options, calibrated),
        ),
        is_calibrated=calibrated,
    )


def _is_on_a_side(metric: Metric, base: Sequence[RunSummary], new: Sequence[RunSummary]) -> bool:
    return any(metric.key in run.values for run in (*base, *new))


def _compare_metric(
    metric: Metric,
    sides: Sides,
    levels: Sequence[Sequence[RunSummary]],
    options: Options,
    is_comparable: bool,
) -> MetricComparison:
    recent, new = sides.base[-1], sides.new
    before = tuple(run.values[metric.key] for run in levels[-1])
    after = tuple(run.values[metric.key] for run in new if metric.key in run.values)
    why_not = obstacle(metric, recent, new, before, after)
    estimate = None if why_not else estimate_change(metric, levels, new, sides.sittings, options)
    if why_not:
        judgement = Judgement(verdict="incomparable", reason=why_not, is_settled=False)
    elif estimate is None:
        raise ValueError(f"{metric.key} has values on both sides and no estimate")
    else:
        margin = metric.margin_at(metric.mean(before))
        sizes = (len(before), len(after))
        judgement = judging.judge(estimate, margin, metric.better, sizes)
        if not is_comparable:
            reason = "the runs differ in what decides whether they compare"
            judgement = Judgement(verdict="incomparable", reason=reason, is_settled=False)
        known = sum(metric.key in run.values for run in recent)
        judgement = _with_gaps(judgement, (len(recent), len(new)), (known, len(after)))
    return _assemble(metric, before, after, estimate, judgement)


def _with_gaps(judgement: Judgement, runs: tuple[int, int], measured: tuple[int, int]) -> Judgement:
    if runs == measured:
        return judgement
    gap = f"measured in {measured[0]} of {runs[0]} and {measured[1]} of {runs[1]} runs"
    return replace(judgement, reason=f"{judgement.reason}; {gap}" if judgement.reason else gap)


def _assemble(
    metric: Metric,
    before: tuple[float, ...],
    after: tuple[float, ...],
    estimate: Estimate | None,
    judgement: Judgement,
) -> MetricComparison:
    base = metric.mean(before) if before else None
    margin = None if base is None or estimate is None else metric.margin_at(base)
    return MetricComparison(
        metric=metric,
        base_values=before,
        new_values=after,
        base=base,
        new=metric.mean(after) if after else None,
        change=_natural(metric, estimate.change if estimate else None),
        low=_natural(metric, estimate.low if estimate else None),
        high=_natural(metric, estimate.high if estimate else None),
        margin=_natural(metric, margin),
        method=estimate.method if estimate else None,
        p_value=estimate.p_value if estimate else None,
        judgement=judgement,
    )


def _natural(metric: Metric, change: float | None) -> float | None:
    return None if change is None else metric.natural(change)


def _levels_of_phases(
    levels: Mapping[Metric, Sequence[Sequence[RunSummary]]],
) -> dict[str, Sequence[RunSummary]]:
    """Return, by phase, the runs that its batches are held against."""
    times = (metric for metric in levels if metric.name == "batch_time")
    return {metric.phase: levels[metric][-1] for metric in times if metric.phase is not None}


def _adjusted(metrics: Sequence[MetricComparison]) -> list[MetricComparison]:
    gated = [m for m in metrics if m.metric.is_gated and m.verdict != "incomparable"]
    p_values = [m.p_value for m in gated]
    judgements = judging.adjusted([m.judgement for m in gated], p_values)
    by_key = {m.metric.key: j for m, j in zip(gated, judgements, strict=True)}
    return [replace(m, judgement=by_key.get(m.metric.key, m.judgement)) for m in metrics]


def obstacle(
    metric: Metric,
    base: Sequence[RunSummary],
    new: Sequence[RunSummary],
    before: Sequence[float],
    after: Sequence[float],
) -> str | None:
    """Return why this metric alone can't be compared, None when it can."""
    for values, runs, side in ((before, base, "base"), (after, new, "new")):
        if not values:
            return _absence(metric, runs, side)
        if metric.scale == "log" and min(values) <= 0:
            return f"a value of 0 in the {side} runs, so the change has no percentage"
    if metric.name.startswith("batch_time"):
        other = other_batches(metric.phase or "", base, new)
        if other is not None:
            return other
    return _other_measuring(metric, [*base, *new])


def is_of_absent_device(metric: Metric, runs: Sequence[RunSummary]) -> bool:
    """Whether the metric is about an accelerator, and no run had one."""
    return metric.key.startswith("memory.accelerator_") and all(
        run.environment.known.accelerator == "cpu" for run in runs
    )


def _absence(metric: Metric, runs: Sequence[RunSummary], side: str) -> str:
    reason = first_reason(metric, runs)
    return f"not measured in the {side} runs" + (f": {reason}" if reason else "")


def _other_measuring(metric: Metric, runs: Sequence[RunSummary]) -> str | None:
    if metric.name.startswith("batch_time"):
        phase = metric.phase or ""
        scopes = sorted({run.scopes[phase] for run in runs if phase in run.scopes})
        if len(scopes) > 1:
            return f"batches are chosen differently: {' v '.join(scopes)}"
    if metric.unit in ("s", "samples/s"):
        clocks = sorted({clock for run in runs if (clock := run.measurement.clock) is not None})
        if len(clocks) > 1:
            return f"times are of different clocks: {' v '.join(clocks)}"
    return None
