"""Words and short texts that every report of a comparison shares."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from ocr_baseline.comparison.designs import MIN_RUNS
from ocr_baseline.comparison.metrics import BY_KEY, WHOLE_RUN
from ocr_baseline.comparison.power import MAX_RUNS, detectable_change
from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.plain_text import counted, name_of, single_line
from ocr_baseline.reports.text.tables import Name, Strong, Table
from ocr_baseline.reports.text.wording import stage_adjective

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import JsonValue

    from ocr_baseline.comparison.breakdown import LineChange, PhaseChange
    from ocr_baseline.comparison.calibration import Calibration
    from ocr_baseline.comparison.comparison import Comparison, MetricComparison
    from ocr_baseline.comparison.identity import Difference
    from ocr_baseline.comparison.judging import Verdict
    from ocr_baseline.comparison.metrics import Metric

ABSENT = "-"
MAX_VALUE_LENGTH = 60
MAX_SHOWN_VALUES = 10
MAX_SHOWN_RUNS = 3
MANY_RUNS = 20
"""More runs per side are poor advice: these tell 0.9 standard deviations, twice as many 0.6."""
SOONER = "a quieter machine, longer runs or a wider margin"
IN_TURNS = "taking turns (ocr-baseline run --against)"
ONE_SITTING = (
    "All runs were made in one sitting, so they don't tell how sittings differ: for comparing runs "
    "of different days, calibrate with runs of different days"
)
ACCELERATOR = "memory.accelerator"
MARKS = {"unchanged": "~ unchanged", "incomparable": "x incomparable"}
VERDICT_ORDER: tuple[Verdict, ...] = (
    "regression",
    "improvement",
    "suspected",
    "inconclusive",
    "incomparable",
    "unchanged",
)
QUIET_VERDICTS: tuple[Verdict, ...] = ("unchanged", "inconclusive", "incomparable")
STRONG_VERDICTS: tuple[Verdict, ...] = ("regression", "improvement")
PLURALS = {"regression": "regressions", "improvement": "improvements"}
DESIGN_WORDS = {
    "one against one": "one run vs. one run",
    "set against set": "one set of runs vs. another",
    "paired sets": "paired runs",
    "against a history": "new runs vs. a history",
}
METHOD_WORDS = {
    "exact": "a count, which is the same in every run of the same code",
    "in turns": "95% interval of runs that took turns, so that what changed meanwhile cancels out",
    "between runs": "95% interval from how much runs differ",
    "between sittings": "95% interval from how much sittings differ: runs made one after the other "
    "share one and count together",
    "ranks": "95% interval from ranks (Hodges, Lehmann), as some runs lie far from the others",
    "one sitting a side": "interval within the sittings only, which leaves out how sittings differ",
    "too few runs": "too few runs for an interval",
    "within run": "interval within the runs only, which leaves out run-to-run variation",
}


def value_text(metric: Metric, value: float | None) -> str:
    """Return a value of a metric in its unit, `-` when there is none."""
    return ABSENT if value is None else formatting.quantity(value, metric.unit)


def change_text(metric: Metric, change: float | None) -> str:
    """Return a change as a percentage of the base, or in the unit on a linear scale."""
    if change is None:
        return ABSENT
    if metric.scale == "log":
        return formatting.change(change)
    if metric.unit == "share":
        return formatting.points(change)
    return f"{'+' if change > 0 else ''}{formatting.quantity(change, metric.unit)}"


def interval_text(compared: MetricComparison) -> str:
    """Return `[+7.0%, +11.4%]`; in round brackets when it supports no verdict."""
    if compared.low is None or compared.high is None:
        return ABSENT
    low, high = (change_text(compared.metric, end) for end in (compared.low, compared.high))
    opening, closing = "()" if compared.is_descriptive else "[]"
    return f"{opening}{low}, {high}{closing}"


def margin_text(compared: MetricComparison) -> str:
    """Return the margin, `5.0%` or `2.00 points`, without a sign."""
    if compared.margin is None:
        return ABSENT
    return change_text(compared.metric, compared.margin).lstrip("+")


def sizes_text(compared: MetricComparison) -> str:
    """Return how many runs had a value: `5 v 5`."""
    return f"{len(compared.base_values)} v {len(compared.new_values)}"


def verdict_text(compared: MetricComparison) -> str:
    """Return the verdict as it stands in a table, with benchstat's tilde for no change."""
    if compared.verdict == "suspected":
        return f"suspected {direction(compared)}".strip()
    return MARKS.get(compared.verdict, compared.verdict)


def direction(compared: MetricComparison) -> str:
    """Return `worse` or `better`, nothing where the metric didn't move."""
    if not compared.change:
        return ""
    is_more = compared.change > 0
    return "worse" if is_more == (compared.metric.better == "lower") else "better"


def _metric_cells(compared: MetricComparison) -> tuple[str, ...]:
    verdict = verdict_text(compared)
    return (
        compared.metric.label,
        value_text(compared.metric, compared.base),
        value_text(compared.metric, compared.new),
        change_text(compared.metric, compared.change),
        interval_text(compared),
        Strong(verdict) if compared.verdict in STRONG_VERDICTS else verdict,
        sizes_text(compared),
    )


def needed_text(compared: MetricComparison) -> str:
    """Return `needs about 9 runs per side`, with what helps sooner where that is many."""
    needed, unit = compared.judgement.needed_runs, compared.judgement.needed_unit
    sooner = SOONER if unit == "run" else IN_TURNS
    if compared.judgement.is_out_of_reach:
        return f"even {MAX_RUNS:,} {unit}s per side would not settle it; {sooner} may"
    if needed is None:
        return ""
    # Beyond 100 the third digit is no knowledge.
    told = needed if needed < 100 else math.ceil(needed / 10) * 10
    text = f"needs about {told:,} {unit}s per side"
    is_many = needed > MANY_RUNS or unit == "sitting"
    return f"{text}; {sooner} would help sooner" if is_many else text


def values_text(metric: Metric, values: Sequence[float]) -> str:
    """Return all values of a side, the first ten where there are more."""
    if not values:
        return "none"
    texts = [value_text(metric, value) for value in values[:MAX_SHOWN_VALUES]]
    rest = len(values) - MAX_SHOWN_VALUES
    return ", ".join(texts) + (f" and {rest} more" if rest > 0 else "")


def headline(comparison: Comparison) -> str:
    """Return the first sentence: what forbids comparing, else what is worse and what is better."""
    obstacles = comparison.obstacles
    if obstacles:
        fields = "; ".join(difference_text(difference) for difference in obstacles[:3])
        more = f"; and {len(obstacles) - 3} more" if len(obstacles) > 3 else ""
        return f"Not comparable: {fields}{more}."
    if not comparison.metrics:
        return "No metric was measured on either side."
    return f"{_outcome(comparison)}: {'; '.join(_clauses(comparison))}."


def _outcome(comparison: Comparison) -> str:
    for verdict in STRONG_VERDICTS:
        found = comparison.with_verdict(verdict)
        if found:
            return (PLURALS[verdict] if len(found) > 1 else verdict).capitalize()
    is_settled = len(comparison.with_verdict("unchanged")) == len(comparison.metrics)
    return "No change" if is_settled else "No verdict"


def _clauses(comparison: Comparison) -> Iterator[str]:
    suspected = comparison.with_verdict("suspected")
    worse = [one for one in suspected if direction(one) == "worse"]
    better = [one for one in suspected if direction(one) == "better"]
    for metrics, words in (
        (comparison.with_verdict("regression"), ("is worse", "are worse")),
        (comparison.with_verdict("improvement"), ("is better", "are better")),
        (worse, ("may be worse", "may be worse")),
        (better, ("may be better", "may be better")),
    ):
        if metrics:
            yield f"{_some(metrics)} {words[len(metrics) > 1]}"
    ways = {direction(one) for one in comparison.with_verdict(*STRONG_VERDICTS, "suspected")}
    for verdict in QUIET_VERDICTS:
        found = comparison.with_verdict(verdict)
        if len(ways) > 1 and any(one.metric.key == WHOLE_RUN for one in found):
            others = f" and {len(found) - 1} more" if len(found) > 1 else ""
            yield f"the whole run{others} {verdict}"
        elif found:
            yield f"{len(found)} {verdict}"


def _some(metrics: Sequence[MetricComparison]) -> str:
    """Return the first of the metrics with its change, and how many more there are.

    The whole run's duration, which parts that go opposite ways add up to, comes before it.
    """
    whole = [one for one in metrics if one.metric.key == WHOLE_RUN]
    parts = [one for one in metrics if one.metric.key != WHOLE_RUN]
    named = ", ".join(
        f"{one.metric.label.replace(':', '')} {change_text(one.metric, one.change)}"
        for one in [*whole, *parts[:1]]
    )
    return f"{named} and {len(parts) - 1} more" if len(parts) > 1 else named


def difference_text(difference: Difference) -> str:
    """Return `torch is 2.14.1 in the base and 2.15.0 in the new runs`."""
    base, new = json_text(difference.base), json_text(difference.new)
    where = f"in {name_of(difference.run)}" if difference.run else "in the new runs"
    first = "in the first run of its side" if difference.run else "in the base"
    return f"{name_of(difference.field)} is {base} {first} and {new} {where}"


def reason_sentences(
    comparison: Comparison, metrics: Sequence[MetricComparison] | None = None
) -> list[str]:
    """Return why metrics got no clear verdict: each reason once, its metrics by what they need.

    Args:
        comparison: The comparison.
        metrics: Those of its metrics that are of interest, all when not given.
    """
    chosen = comparison.metrics if metrics is None else metrics
    grouped: dict[tuple[str, str], dict[str, list[str]]] = {}
    for compared in chosen:
        reason = compared.judgement.reason
        if reason and not (comparison.obstacles and compared.verdict == "incomparable"):
            by_need = grouped.setdefault((compared.verdict, reason), {})
            by_need.setdefault(needed_text(compared), []).append(compared.metric.key)
    count = len(chosen)
    return [
        f"{verdict} ({reason}): {'; '.join(_who(keys, count, need) for need, keys in who.items())}"
        for (verdict, reason), who in grouped.items()
    ]


def _who(keys: Sequence[str], metrics: int, needed: str) -> str:
    """Return the metrics that a reason is about, and what they need."""
    named = f"all {metrics} metrics" if len(keys) == metrics > 1 else ", ".join(keys)
    return named + (f" ({needed})" if needed else "")


def line_delta_text(line: LineChange) -> str:
    """Return `+21.0 ms metrics`."""
    return f"{formatting.duration(line.delta_s, signed=True)} {name_of(line.name)}"


def phase_sentence(phase: PhaseChange) -> str:
    """Return `Training: +18.0 ms per batch: +21.0 ms metrics, -3.00 ms data_wait`."""
    stage = stage_adjective(phase.phase)
    total = formatting.duration(phase.delta_s, signed=True)
    lines = ", ".join(map(line_delta_text, phase.main_lines))
    return f"{stage}: {total} per batch" + (f": {lines}" if lines else ": no line moved")


def metric_table(metrics: Sequence[MetricComparison]) -> Table:
    """Return a row for each metric: values, change, interval, verdict, runs per side."""
    headers = ("Metric", "Base", "New", "Change", "95% interval", "Verdict", "n")
    return Table(headers=headers, rows=[_metric_cells(one) for one in metrics], align="lrrrrlr")


def line_table(phase: PhaseChange, max_lines: int) -> Table:
    """Return a row for each line, the largest change first, and one for all beyond `max_lines`."""
    rows: list[tuple[str, ...]] = [
        (
            Name(line.name),
            ABSENT if line.base_s is None else formatting.duration(line.base_s),
            ABSENT if line.new_s is None else formatting.duration(line.new_s),
            formatting.duration(line.delta_s, signed=True),
            line_interval_text(line),
        )
        for line in phase.lines[:max_lines]
    ]
    rest = phase.lines[max_lines:]
    if rest:
        delta = formatting.duration(sum(line.delta_s for line in rest), signed=True)
        rows.append((counted(len(rest), "more line"), "", "", delta, ""))
    headers = ("Line (per batch)", "Base", "New", "Change", "95% interval")
    return Table(headers=headers, rows=rows, align="lrrrr")


def difference_table(comparison: Comparison, max_rows: int) -> Table:
    """Return a row for each difference of the two sides, and how many more there are."""
    rows: list[tuple[str, ...]] = [
        (
            difference.area,
            Name(difference.field),
            Name(json_text(difference.base)),
            Name(json_text(difference.new)),
            "yes" if difference.forbids else "",
        )
        for difference in comparison.differences[:max_rows]
    ]
    rest = len(comparison.differences) - max_rows
    if rest > 0:
        rows.append((f"{rest} more", "", "", "", ""))
    return Table(headers=("Area", "Field", "Base", "New", "Prevents comparison"), rows=rows)


def line_interval_text(line: LineChange) -> str:
    """Return the interval of a line's change, `-` when a side has one run."""
    if line.low_s is None or line.high_s is None:
        return ABSENT
    low, high = (formatting.duration(end, signed=True) for end in (line.low_s, line.high_s))
    return f"[{low}, {high}]"


def json_text(value: JsonValue) -> str:
    """Return a value of a config or an environment as JSON, or `absent`."""
    if value is None:
        return "absent"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return single_line(text, MAX_VALUE_LENGTH) or '""'


def side_text(labels: Sequence[str]) -> str:
    """Return the names of a side's runs, the first three where there are more."""
    rest = len(labels) - MAX_SHOWN_RUNS
    shown = ", ".join(name_of(label) for label in labels[:MAX_SHOWN_RUNS])
    return f"{shown} and {rest} more" if rest > 0 else shown


def not_measured_text(comparison: Comparison) -> str:
    """Return what was measured on neither side; what lacks all of its metrics by its name alone."""
    compared = {_part(metric.metric.key) for metric in comparison.metrics}
    parts = {key: _part(key) for key in comparison.not_measured}
    return ", ".join(
        dict.fromkeys(key if part in compared else part for key, part in parts.items())
    )


def _part(key: str) -> str:
    """Return the phase that a metric is of, the accelerator's memory, or the metric alone."""
    return ACCELERATOR if key.startswith(ACCELERATOR) else BY_KEY[key].phase or key


def method_notes(comparison: Comparison) -> list[str]:
    """Return how the intervals were made, each way once."""
    methods = dict.fromkeys(m.method for m in comparison.metrics if m.method is not None)
    return [METHOD_WORDS[method] for method in methods]


def spread_lines(calibration: Calibration) -> list[str]:
    """Return how much runs of the same code differ here: a line for all, then one per metric."""
    lines = [f"{calibration.runs} runs of environment {calibration.fingerprint}"]
    for key, found in calibration.metrics.items():
        metric = BY_KEY[key]
        spread = spread_text(metric, found.spread)
        least = spread_text(metric, metric.natural(detectable_change(found.spread, MIN_RUNS)))
        lines.append(
            f"{metric.label}: runs vary by {spread} (standard deviation), so {MIN_RUNS} runs per "
            f"side find changes of {least}"
        )
    if all(found.sittings == 1 for found in calibration.metrics.values()):
        lines.append(ONE_SITTING)
    return lines


def spread_text(metric: Metric, spread: float) -> str:
    """Return the standard deviation of one run: in percent of a time, in points of a share."""
    if metric.scale == "log":
        return formatting.percent(100 * spread)
    return formatting.quantity(spread, metric.unit)
