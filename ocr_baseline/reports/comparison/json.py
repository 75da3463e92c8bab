"""A comparison as JSON: every number in SI units, changes as shares of the base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.model.json_text import json_text

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ocr_baseline.comparison.breakdown import PhaseChange
    from ocr_baseline.comparison.comparison import Comparison, MetricComparison
    from ocr_baseline.comparison.identity import Difference
    from ocr_baseline.comparison.sides import Side

SCHEMA_NAME = "ocr-baseline-comparison"
SCHEMA_VERSION = "1.0"


def render_comparison_json(comparison: Comparison) -> str:
    """Return the comparison as JSON text."""
    return json_text(comparison_document(comparison))


def comparison_document(comparison: Comparison) -> dict[str, JsonValue]:
    """Return the comparison as JSON values."""
    return {
        "schema": SCHEMA_NAME,
        "schema_version": SCHEMA_VERSION,
        "design": comparison.design,
        "comparable": not comparison.obstacles,
        "calibrated": comparison.is_calibrated,
        "base": _side(comparison.base),
        "new": _side(comparison.new),
        "metrics": [metric_document(compared) for compared in comparison.metrics],
        "breakdowns": [_phase(phase) for phase in comparison.breakdowns],
        "differences": [_difference(difference) for difference in comparison.differences],
        "not_measured": list(comparison.not_measured),
        "notes": list(comparison.notes),
    }


def metric_document(compared: MetricComparison) -> dict[str, JsonValue]:
    """Return one metric as JSON values; `change`, `low`, `high`, `margin` as `change_unit` says."""
    metric, judgement = compared.metric, compared.judgement
    return {
        "metric": metric.key,
        "unit": metric.unit,
        "better": metric.better,
        "gated": metric.is_gated,
        "base": compared.base,
        "new": compared.new,
        "change_unit": "share of base" if metric.scale == "log" else metric.unit,
        "change": compared.change,
        "low": compared.low,
        "high": compared.high,
        "margin": compared.margin,
        "method": compared.method,
        "verdict": compared.verdict,
        "settled": judgement.is_settled,
        "reason": judgement.reason or None,
        "needed_runs": judgement.needed_runs,
        "p_value": compared.p_value,
        "n_base": len(compared.base_values),
        "n_new": len(compared.new_values),
        "base_values": list(compared.base_values),
        "new_values": list(compared.new_values),
    }


def _side(side: Side) -> dict[str, JsonValue]:
    return {"runs": list(side.labels), "fingerprint": side.fingerprint}


def _phase(phase: PhaseChange) -> dict[str, JsonValue]:
    return {
        "phase": phase.phase,
        "base_per_batch_s": phase.base_s,
        "new_per_batch_s": phase.new_s,
        "delta_per_batch_s": phase.delta_s,
        "lines": [
            {
                "name": line.name,
                "base_per_batch_s": line.base_s,
                "new_per_batch_s": line.new_s,
                "delta_per_batch_s": line.delta_s,
                "low_s": line.low_s,
                "high_s": line.high_s,
            }
            for line in phase.lines
        ],
    }


def _difference(difference: Difference) -> dict[str, JsonValue]:
    return {
        "area": difference.area,
        "field": difference.field,
        "base": difference.base,
        "new": difference.new,
        "forbids": difference.forbids,
        "run": difference.run,
    }
