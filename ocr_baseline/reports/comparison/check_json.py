"""The outcome of a check as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ocr_baseline.comparison.assertions import budget_state, metric_state
from ocr_baseline.reports.comparison.json import comparison_document, metric_document

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ocr_baseline.comparison.assertions import Check
    from ocr_baseline.comparison.budgets import BudgetResult

SCHEMA_NAME = "ocr-baseline-check"
SCHEMA_VERSION = "1.0"


def render_check_json(check: Check, *, strict: bool) -> str:
    """Return the exit status, every assertion and the comparison behind them, in SI units."""
    document: dict[str, JsonValue] = {
        "schema": SCHEMA_NAME,
        "schema_version": SCHEMA_VERSION,
        "strict": strict,
        "exit_status": check.exit_status(strict=strict),
        "metrics": [
            {"state": metric_state(compared), **metric_document(compared)}
            for compared in check.gated
        ],
        "budgets": [_budget(result) for result in check.budgets],
        "comparison": None if check.comparison is None else comparison_document(check.comparison),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _budget(result: BudgetResult) -> dict[str, JsonValue]:
    return {
        "state": budget_state(result),
        "metric": result.budget.metric.key,
        "unit": result.budget.metric.unit,
        "level": result.budget.level,
        "max": result.budget.max,
        "min": result.budget.min,
        "value": result.value,
        "values": list(result.values),
        "reason": result.reason or None,
    }
