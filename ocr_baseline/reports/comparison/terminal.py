"""A comparison on a screen or two of a terminal of any width: no number is ever cut short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ocr_baseline.reports.comparison import wording as words
from ocr_baseline.reports.text.plain_text import name_of, single_line
from ocr_baseline.reports.text.screen import GAP, MIN_WIDTH, end_of, grid, plain_table, printed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocr_baseline.comparison.breakdown import PhaseChange
    from ocr_baseline.comparison.comparison import Comparison, MetricComparison
    from ocr_baseline.reports.text.tables import Table as ReportTable

MAX_LINES = 8
MAX_NAME_WIDTH = 40
MIN_NAME_WIDTH = 12
VERDICT_STYLES = {
    "regression": "bold red",
    "improvement": "green",
    "unchanged": "dim",
    "suspected": "yellow",
    "inconclusive": "yellow",
    "incomparable": "magenta",
}
_NARROW_COLUMNS = ("metric", "change", "verdict")
MAX_DIFFERENCES = 12


def render_comparison_terminal(comparison: Comparison, *, width: int, color: bool) -> str:
    """Return the comparison, `width` columns wide at most (40 at least), colored on demand."""
    return printed(list(_blocks(comparison, max(width, MIN_WIDTH))), width=width, color=color)


def _blocks(comparison: Comparison, width: int) -> Iterator[RenderableType]:
    is_forbidden = bool(comparison.obstacles)
    yield Text(words.headline(comparison), style="bold magenta" if is_forbidden else "bold")
    yield _sides(comparison)
    if is_forbidden:
        yield Padding(_differences(comparison), (1, 0, 0, 0))
    if comparison.metrics:
        yield Padding(_metric_table(comparison.metrics, width), (1, 0, 0, 0))
    for sentence in words.reason_sentences(comparison):
        yield Text(single_line(sentence), style="dim")
    for phase in comparison.breakdowns:
        yield Padding(_breakdown(phase, width), (1, 0, 0, 0))
    if comparison.differences and not is_forbidden:
        yield Padding(_differences(comparison), (1, 0, 0, 0))
    yield Padding(_notes(comparison), (1, 0, 0, 0))


def _sides(comparison: Comparison) -> RenderableType:
    facts = Table.grid(padding=(0, 2))
    for name, side in (("base", comparison.base), ("new", comparison.new)):
        text = f"{words.side_text(side.labels)} (environment {side.fingerprint})"
        facts.add_row(Text(name, style="dim"), Text(text))
    return facts


def _breakdown(phase: PhaseChange, width: int) -> RenderableType:
    return Group(Text(words.phase_sentence(phase), style="bold"), _breakdown_table(phase, width))


def _differences(comparison: Comparison) -> RenderableType:
    table = grid(words.difference_table(comparison, MAX_DIFFERENCES), "What differs")
    if comparison.obstacles:
        fields = " ".join(f"--across {d.field}" for d in comparison.obstacles[:3])
        hint = f"If the difference is intentional, say so: {fields}"
        return Group(table, Text(single_line(hint), style="dim"))
    return table


def _notes(comparison: Comparison) -> RenderableType:
    lines = [f"Compared: {words.DESIGN_WORDS[comparison.design]}."]
    lines.extend(f"{note[:1].upper()}{note[1:]}." for note in words.method_notes(comparison))
    lines.extend(f"Note: {note}" for note in comparison.notes)
    if comparison.not_measured:
        lines.append(f"Not measured on either side: {words.not_measured_text(comparison)}.")
    return Group(*(Text(single_line(line), style="dim") for line in lines))


def _metric_table(metrics: Sequence[MetricComparison], width: int) -> Table:
    """Return a row for each metric; where `width` columns are too few, a row of two lines."""
    wide = words.metric_table(metrics)
    if _widths(wide.headers, wide.rows) <= width:
        return _wide(metrics, wide)
    return _narrow(metrics, wide.rows)


def _breakdown_table(phase: PhaseChange, width: int) -> Table:
    """Return a row for each line, the largest change first; long names keep their end.

    The interval is left out where no line has one, and where there is no place for it.
    """
    lines = words.line_table(phase, MAX_LINES)
    columns, shown = list(lines.headers), list(lines.rows)
    name_width = _name_width(columns, shown, width)
    if name_width < MIN_NAME_WIDTH or all(line.low_s is None for line in phase.lines):
        columns, shown = columns[:-1], [row[:-1] for row in shown]
        name_width = max(MIN_NAME_WIDTH, _name_width(columns, shown, width))
    table = plain_table()
    table.add_column(columns[0].lower(), no_wrap=True)
    for column in columns[1:]:
        table.add_column(column.lower(), justify="right", no_wrap=True)
    for index, (name, *cells) in enumerate(shown):
        is_certain = index < MAX_LINES and phase.lines[index].is_beyond_spread
        texts = [Text(cell) for cell in cells]
        texts[2].stylize("bold" if is_certain else "")
        table.add_row(Text(end_of(name_of(name), name_width)), *texts)
    return table


def _wide(metrics: Sequence[MetricComparison], wide: ReportTable) -> Table:
    table = plain_table()
    for header, side in zip(wide.headers, wide.align, strict=True):
        justify: Literal["left", "right"] = "right" if side == "r" else "left"
        table.add_column(header.lower(), justify=justify, no_wrap=True)
    for compared, (*cells, verdict, sizes) in zip(metrics, wide.rows, strict=True):
        style = VERDICT_STYLES[compared.verdict]
        table.add_row(*map(Text, cells), Text(verdict, style=style), Text(sizes))
    return table


def _narrow(metrics: Sequence[MetricComparison], rows: Sequence[Sequence[str]]) -> Table:
    """Values stand under the metric, the interval under the change, the runs under the verdict."""
    table = plain_table()
    for column in _NARROW_COLUMNS:
        table.add_column(column, justify="right" if column == "change" else "left")
    for compared, (label, base, new, change, interval, verdict, sizes) in zip(
        metrics, rows, strict=True
    ):
        below = "" if interval == words.ABSENT else f"\n{interval}"
        table.add_row(
            Text.assemble(label, (f"\n  {base} -> {new}", "dim")),
            Text(f"{change}{below}"),
            Text.assemble((verdict, VERDICT_STYLES[compared.verdict]), (f"\n{sizes}", "dim")),
        )
    return table


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Return how many columns of a terminal a table takes."""
    widest = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    return sum(widest) + GAP * (len(widest) - 1)


def _name_width(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> int:
    """Return how many columns the numbers leave to the name before them."""
    numbers = _widths(columns[1:], [row[1:] for row in rows])
    return min(MAX_NAME_WIDTH, width - numbers - GAP)
