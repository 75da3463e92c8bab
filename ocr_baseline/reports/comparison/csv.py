"""A comparison as CSV: one row a metric, in SI units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.text.csv_text import write_csv

if TYPE_CHECKING:
    from ocr_baseline.comparison.comparison import Comparison

COLUMNS = (
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
    return write_csv(COLUMNS, rows)
