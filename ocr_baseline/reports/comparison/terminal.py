"""A comparison on a screen or two of a terminal."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ocr_baseline.reports.comparison import wording as words
from ocr_baseline.reports.comparison.tables import (
    breakdown_table,
    metric_table,
    plain_table,
)
from ocr_baseline.reports.text.plain_text import name_of, single_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocr_baseline.comparison.breakdown import PhaseChange
    from ocr_baseline.comparison.comparison import Comparison

MIN_WIDTH = 40
MAX_DIFFERENCES = 12


def render_comparison_terminal(comparison: Comparison, *, width: int, color: bool) -> str:
    """Return the comparison, `width` columns wide at most (40 at least), colored on demand."""
    return printed(list(_blocks(comparison, max(width, MIN_WIDTH))), width=width, color=color)


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


def _blocks(comparison: Comparison, width: int) -> Iterator[RenderableType]:
    is_forbidden = bool(comparison.obstacles)
    yield Text(words.headline(comparison), style="bold magenta" if is_forbidden else "bold")
    yield _sides(comparison)
    if is_forbidden:
        yield Padding(_differences(comparison), (1, 0, 0, 0))
    if comparison.metrics:
        yield Padding(metric_table(comparison.metrics, width), (1, 0, 0, 0))
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
    return Group(Text(words.phase_sentence(phase), style="bold"), breakdown_table(phase, width))


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
