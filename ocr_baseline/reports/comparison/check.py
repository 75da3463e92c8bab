"""The outcome of a check: each assertion with what was expected, what was found, all values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from ocr_baseline.comparison.check import budget_state, count_states, metric_state
from ocr_baseline.model.json_text import json_text
from ocr_baseline.reports.comparison import wording as words
from ocr_baseline.reports.comparison.json import comparison_document, metric_document
from ocr_baseline.reports.comparison.markdown import as_comment, comparison_blocks
from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.markdown_text import MarkdownText, code, escape, folded, table
from ocr_baseline.reports.text.plain_text import single_line
from ocr_baseline.reports.text.screen import printed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import JsonValue
    from rich.console import RenderableType

    from ocr_baseline.comparison.check import BudgetResult, Check, State
    from ocr_baseline.comparison.comparison import MetricComparison

SCHEMA_NAME = "ocr-baseline-check"
SCHEMA_VERSION = "1.0"
STATE_WORDS = {"pass": "ok", "fail": "FAIL", "warn": "warn", "unsettled": "unsettled"}
STATE_STYLES = {"pass": "green", "fail": "bold red", "warn": "yellow", "unsettled": "magenta"}


def render_check_terminal(check: Check, *, width: int, color: bool) -> str:
    """Return the assertions, the ones that fail included, and a last line that sums up."""
    return printed(list(_blocks(check)), width=width, color=color)


def render_check_markdown(check: Check) -> str:
    """Return the outcome for a pull request: what didn't pass, then the comparison."""
    blocks = [f"## Performance check: {escape(summary(check))}"]
    rows = [
        (state, (MarkdownText(f"**{STATE_WORDS[state]}**"), code(key), expected, found, values))
        for state, key, expected, found, values in _assertions(check)
    ]
    headers = ("", "Assertion", "Expected", "Found", "Values")
    open_rows = [cells[:-1] for state, cells in rows if state != "pass"]
    if open_rows:
        blocks.append(table(headers[:-1], open_rows))
    if rows:
        every = table(headers, [cells for _, cells in rows])
        blocks.append(folded("Every assertion, with the value of each run", [every]))
    if check.comparison is not None:
        blocks.extend(comparison_blocks(check.comparison))
    return as_comment(blocks)


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
    return json_text(document)


def summary(check: Check) -> str:
    """Return `2 failed, 1 warned, 1 unsettled, 5 passed`."""
    words_by_state: tuple[tuple[State, str], ...] = (
        ("fail", "failed"),
        ("warn", "warned"),
        ("unsettled", "unsettled"),
        ("pass", "passed"),
    )
    counts = [(count_states(check.states, state), word) for state, word in words_by_state]
    return ", ".join(f"{count} {word}" for count, word in counts if count) or "nothing to check"


def _blocks(check: Check) -> Iterator[RenderableType]:
    comparison = check.comparison
    if comparison is not None and comparison.obstacles:
        yield Text(single_line(words.headline(comparison)), style="bold magenta")
    grid = Table.grid(padding=(0, 1, 0, 0))
    for state, key, expected, found, values in _assertions(check):
        sentence = single_line(f"{key}: expected {expected}, found {found}")
        grid.add_row(Text(STATE_WORDS[state], style=STATE_STYLES[state]), Text(sentence))
        if values:
            grid.add_row("", Text(single_line(values), style="dim"))
    if grid.row_count:
        yield grid
    for sentence in words.reason_sentences(comparison, check.gated) if comparison else ():
        yield Text(single_line(sentence), style="dim")
    for phase in comparison.breakdowns if comparison else ():
        if phase.main_lines:
            yield Text(words.phase_sentence(phase))
    for note in comparison.notes if comparison else ():
        yield Text(single_line(f"Note: {note}"), style="dim")
    yield Text(f"{summary(check)}.", style="bold")


def _assertions(check: Check) -> Iterator[tuple[State, str, str, str, str]]:
    for compared in check.gated:
        yield (metric_state(compared), compared.metric.key, *_metric_texts(compared))
    for result in check.budgets:
        key = f"budget {result.budget.metric.key}"
        yield (budget_state(result), key, *_budget_texts(result))


def _metric_texts(compared: MetricComparison) -> tuple[str, str, str]:
    metric = compared.metric
    if compared.base is None or compared.new is None:
        expected = "a value on both sides"
        found = compared.judgement.reason
    else:
        worse = "more" if metric.better == "lower" else "less"
        base = words.value_text(metric, compared.base)
        expected = f"at most {words.margin_text(compared)} {worse} than {base}"
        if compared.margin == 0:
            expected = f"no {worse} than {base}"
        found = f"{words.value_text(metric, compared.new)}: {_found(compared)}"
    values = (
        f"base {words.values_text(metric, compared.base_values)}; "
        f"new {words.values_text(metric, compared.new_values)}"
    )
    return expected, found, values


def _found(compared: MetricComparison) -> str:
    parts = [words.change_text(compared.metric, compared.change)]
    if compared.low is not None:
        parts.append(words.interval_text(compared))
    parts.append(compared.verdict)
    return " ".join(parts)


def _budget_texts(result: BudgetResult) -> tuple[str, str, str]:
    budget = result.budget
    limits = [
        f"at {side} {formatting.quantity(limit, budget.metric.unit)}"
        for side, limit in (("most", budget.max), ("least", budget.min))
        if limit is not None
    ]
    found = words.value_text(budget.metric, result.value)
    if result.value is None:
        found = formatting.NOT_MEASURED + (f" ({result.reason})" if result.reason else "")
    values = words.values_text(budget.metric, result.values) if len(result.values) > 1 else ""
    return " and ".join(limits), found, values


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
