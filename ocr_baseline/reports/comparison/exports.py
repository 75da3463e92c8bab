"""A comparison for other programs: CSV for spreadsheets, and two formats of benchmark trackers.

The trackers get the new side. `github-action-benchmark` takes a list of values where smaller is
better (`tool: customSmallerIsBetter`); Bencher takes its Metric Format, values with their bounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.model.json_text import json_text
from ocr_baseline.reports.text.csv_text import write_csv

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ocr_baseline.comparison.comparison import Comparison, MetricComparison


SIGNIFICANT_DIGITS = 6
CSV_COLUMNS = (
    "metric",
    "unit",
    "better",
    "gated",
    "base",
    "new",
    "change",
    "low",
    "high",
    "change_unit",
    "margin",
    "verdict",
    "n_base",
    "n_new",
    "method",
    "reason",
)


def render_github_action_benchmark(comparison: Comparison) -> str:
    """Return the JSON list that github-action-benchmark reads as customSmallerIsBetter.

    Metrics where more is better are left out: the time behind them is there under another name.
    """
    entries: list[JsonValue] = [
        _entry(compared)
        for compared in comparison.metrics
        if compared.metric.better == "lower" and compared.new is not None
    ]
    return json_text(entries)


def render_bencher_metric_format(comparison: Comparison) -> str:
    """Return Bencher Metric Format: benchmark, measure, value and the range of the runs."""
    document: dict[str, dict[str, JsonValue]] = {}
    for compared in comparison.metrics:
        if compared.new is None:
            continue
        benchmark = compared.metric.phase or "run"
        values = compared.new_values
        measure: dict[str, JsonValue] = {"value": compared.new}
        if len(values) > 1:
            measure |= {"lower_value": min(values), "upper_value": max(values)}
        document.setdefault(benchmark, {})[_slug(compared)] = measure
    return json_text(document)


def _entry(compared: MetricComparison) -> dict[str, JsonValue]:
    values = compared.new_values
    entry: dict[str, JsonValue] = {
        "name": compared.metric.label,
        "unit": compared.metric.unit,
        "value": compared.new,
        "extra": f"{compared.metric.key}\n{len(values)} runs\nverdict: {compared.verdict}",
    }
    if len(values) > 1:
        low, high = min(values), max(values)
        entry["range"] = f"{low:.{SIGNIFICANT_DIGITS}g} to {high:.{SIGNIFICANT_DIGITS}g}"
    return entry


def _slug(compared: MetricComparison) -> str:
    name = compared.metric.name.replace(".", "-").replace("_", "-")
    return f"{name}-{compared.metric.unit.replace('/', '-per-')}"


def render_comparison_csv(comparison: Comparison) -> str:
    """Return the table; a value that was not measured is empty and says why in `reason`."""
    rows = [
        (
            compared.metric.key,
            compared.metric.unit,
            compared.metric.better,
            "yes" if compared.metric.is_gated else "no",
            compared.base,
            compared.new,
            compared.change,
            compared.low,
            compared.high,
            "share of base" if compared.metric.scale == "log" else compared.metric.unit,
            compared.margin,
            compared.verdict,
            len(compared.base_values),
            len(compared.new_values),
            compared.method,
            compared.judgement.reason,
        )
        for compared in comparison.metrics
    ]
    return write_csv(CSV_COLUMNS, rows)
