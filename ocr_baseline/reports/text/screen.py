"""Text for a terminal: what rich prints, as a string that depends on no environment."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.plain_text import name_of, single_line
from ocr_baseline.reports.text.tables import Name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ocr_baseline.reports.text.tables import Table

MIN_WIDTH = 40
GAP = 2
_QUOTED = re.compile(r"`([^`]+)`")


def printed(
    blocks: Iterable[RenderableType], *, width: int, color: bool, is_wrapped: bool = True
) -> str:
    """Return blocks as the text that a terminal of this width shows, 40 columns at least.

    What isn't wrapped isn't cut either: the terminal itself goes on in its next line.
    """
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
    console.print(Group(*blocks), soft_wrap=not is_wrapped)
    return "\n".join(line.rstrip() for line in buffer.getvalue().rstrip().split("\n")) + "\n"


def plain_table(title: str = "") -> RichTable:
    """Return a table without lines."""
    return RichTable(
        title=title or None,
        title_style="bold",
        title_justify="left",
        box=None,
        pad_edge=False,
        header_style="dim",
        padding=(0, GAP, 0, 0),
    )


def grid(shown: Table, title: str = "") -> RichTable:
    """Return a table without lines, its names on one line each and not too long."""
    drawn = plain_table(title)
    for header, side in zip(shown.headers, shown.align.ljust(len(shown.headers), "l"), strict=True):
        drawn.add_column(header.lower(), justify="right" if side == "r" else "left")
    for row in shown.rows:
        drawn.add_row(*(Text(name_of(cell) if isinstance(cell, Name) else cell) for cell in row))
    return drawn


def value(text: str) -> Text:
    """Return a value, dimmed where there is none."""
    return Text(text, style="dim" if text == formatting.NOT_MEASURED else "")


def styled(sentence: str, style: str = "") -> Text:
    """Return a sentence whose names between backticks are set apart."""
    text = Text(style=style)
    for index, part in enumerate(_QUOTED.split(single_line(sentence))):
        text.append(part, style="cyan" if index % 2 else "")
    return text


def room_beside(columns: Iterable[list[str]], width: int) -> int:
    """Return how wide a name may be beside columns of texts in `width` columns of a terminal."""
    return width - sum(max(map(cell_len, texts)) + GAP for texts in columns)


def end_of(name: str, width: int) -> str:
    """Return a name in `width` columns, shortened at the front: its end distinguishes it."""
    if cell_len(name) <= width:
        return name
    while name and cell_len(name) > width - 1:
        name = name[1:]
    return f"…{name}"
