"""A comparison on a screen or two of a terminal."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ocr.performance.renderers import comparison_wording as words
from ocr.performance.renderers import formatting
from ocr.performance.renderers.plain_text import name_of, single_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocr.performance.compare.breakdown import PhaseChange
    from ocr.performance.compare.comparison import Comparison

MIN_WIDTH = 40
MAX_LINES = 8
MAX_DIFFERENCES = 12
VERDICT_STYLES = {
    "regression": "bold red",
    "improvement": "green",
    "unchanged": "dim",
    "suspected": "yellow",
    "inconclusive": "yellow",
    "incomparable": "magenta",
}


def render_comparison_terminal(comparison: Comparison, *, width: int, color: bool) -> str:
    """Return the comparison, `width` columns wide at most (40 at least), colored on demand."""
    return printed(list(_blocks(comparison)), width=width, color=color)


def printed(blocks: Sequence[RenderableType], *, width: int, color: bool) -> str:
    """Return blocks as the text that a terminal of this width shows."""
    buffer = io.StringIO()
    console = Console(
        file=buffer,
        width=max(width, MIN_WIDTH),
        color_system="standard" if color else None,
        force_terminal=color,
        no_color=not color,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        force_jupyter=False,
    )
    console.print(Group(*blocks))
    return "\n".join(line.rstrip() for line in buffer.getvalue().rstrip().split("\n")) + "\n"


def plain_table(title: str = "") -> Table:
    """Return a table without lines, for a terminal of any width."""
    return Table(
        title=title or None,
        title_style="bold",
        title_justify="left",
        box=None,
        pad_edge=False,
        header_style="dim",
        padding=(0, 2, 0, 0),
    )


def _blocks(comparison: Comparison) -> Iterator[RenderableType]:
    is_forbidden = bool(comparison.obstacles)
    yield Text(words.headline(comparison), style="bold magenta" if is_forbidden else "bold")
    yield _sides(comparison)
    if is_forbidden:
        yield Padding(_differences(comparison), (1, 0, 0, 0))
    yield Padding(_metrics(comparison), (1, 0, 0, 0))
    for sentence in words.reason_sentences(comparison):
        yield Text(single_line(sentence), style="dim")
    for phase in comparison.breakdowns:
        yield Padding(_breakdown(phase), (1, 0, 0, 0))
    if comparison.differences and not is_forbidden:
        yield Padding(_differences(comparison), (1, 0, 0, 0))
    yield Padding(_notes(comparison), (1, 0, 0, 0))


def _sides(comparison: Comparison) -> RenderableType:
    facts = Table.grid(padding=(0, 2))
    for name, side in (("base", comparison.base), ("new", comparison.new)):
        text = f"{words.side_text(side.labels)} (environment {side.fingerprint})"
        facts.add_row(Text(name, style="dim"), Text(text))
    return facts


def _metrics(comparison: Comparison) -> RenderableType:
    table = plain_table()
    table.add_column("metric", min_width=8)
    for column in ("base", "new", "change", "95 % interval"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    longest = max((len(words.sizes_text(m)) for m in comparison.metrics), default=1)
    table.add_column("n", no_wrap=True, min_width=longest)
    for compared in comparison.metrics:
        table.add_row(
            Text(compared.metric.label),
            words.value_text(compared.metric, compared.base),
            words.value_text(compared.metric, compared.new),
            words.change_text(compared.metric, compared.change),
            words.interval_text(compared),
            Text(words.verdict_text(compared), style=VERDICT_STYLES[compared.verdict]),
            words.sizes_text(compared),
        )
    return table


def _breakdown(phase: PhaseChange) -> RenderableType:
    table = plain_table()
    table.add_column("line, a batch", no_wrap=True, overflow="ellipsis", max_width=40)
    for column in ("base", "new", "change", "95 % interval"):
        table.add_column(column, justify="right", no_wrap=True)
    for line in phase.lines[:MAX_LINES]:
        table.add_row(
            Text(name_of(line.name)),
            _time(line.base_s),
            _time(line.new_s),
            Text(
                formatting.duration(line.delta_s, signed=True),
                style="bold" if line.is_beyond_spread else "",
            ),
            words.line_interval_text(line),
        )
    rest = phase.lines[MAX_LINES:]
    if rest:
        rest_s = sum(line.delta_s for line in rest)
        label = Text(f"{len(rest)} more lines", style="dim")
        table.add_row(label, "", "", formatting.duration(rest_s, signed=True), "")
    return Group(Text(words.phase_sentence(phase), style="bold"), table)


def _differences(comparison: Comparison) -> RenderableType:
    table = plain_table("What differs")
    for column in ("field", "base", "new", ""):
        table.add_column(column)
    for difference in comparison.differences[:MAX_DIFFERENCES]:
        table.add_row(
            Text(f"{difference.area}: {name_of(difference.field)}"),
            Text(words.json_text(difference.base)),
            Text(words.json_text(difference.new)),
            Text("forbids comparing" if difference.forbids else "", style="magenta"),
        )
    rest = len(comparison.differences) - MAX_DIFFERENCES
    if rest > 0:
        table.add_row(Text(f"{rest} more", style="dim"))
    if comparison.obstacles:
        fields = " ".join(f"--across {d.field}" for d in comparison.obstacles[:3])
        hint = f"If they differ on purpose, say so: {fields}"
        return Group(table, Text(single_line(hint), style="dim"))
    return table


def _notes(comparison: Comparison) -> RenderableType:
    lines = [f"Compared: {words.DESIGN_WORDS[comparison.design]}."]
    lines.extend(f"{note[:1].upper()}{note[1:]}." for note in words.method_notes(comparison))
    lines.extend(f"Note: {note}" for note in comparison.notes)
    if comparison.not_measured:
        lines.append(f"Measured on neither side: {words.not_measured_text(comparison)}.")
    return Group(*(Text(single_line(line), style="dim") for line in lines))


def _time(time_s: float | None) -> str:
    return words.ABSENT if time_s is None else formatting.duration(time_s)
