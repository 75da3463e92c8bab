"""A table as a value, which Markdown (`markdown`) and a terminal (`screen.grid`) print alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.markdown_text import MarkdownText, code, escape, table
from ocr_baseline.reports.text.plain_text import end_of_name

if TYPE_CHECKING:
    from collections.abc import Sequence


MAX_NAME = 40
"""Characters of a name in a table; the files for programs have the whole one."""


class Name(str):
    """A name or a value from outside, set apart from words: code in Markdown."""

    __slots__ = ()


class Strong(str):
    """Text that is meant to be seen first: bold in Markdown."""

    __slots__ = ()


class Bar(str):
    """A fraction between 0 and 1, which each renderer draws in its own way; as text, in ASCII."""

    fraction: float | None

    def __new__(cls, fraction: float | None) -> Bar:
        """Return the bar of a fraction, an empty one of None."""
        bar = super().__new__(cls, formatting.bar(fraction))
        bar.fraction = fraction if formatting.is_measured(fraction) else None
        return bar


@dataclass(frozen=True, kw_only=True)
class Table:
    """Headers as Markdown shows them (a terminal in lower case), and rows of as many cells.

    `align` has a letter for each column: `l` (the default) or `r`. In a plain cell, names stand
    between backticks.
    """

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    align: str = ""

    def markdown(self) -> MarkdownText:
        """Return the table in GitHub's Markdown."""
        return table(
            self.headers, [[_marked(cell) for cell in row] for row in self.rows], self.align
        )


def _marked(cell: str) -> str:
    if isinstance(cell, Name):
        return code(end_of_name(cell, MAX_NAME))
    if isinstance(cell, Bar):
        return MarkdownText(formatting.block_bar(cell.fraction))
    return MarkdownText(f"**{escape(cell)}**") if isinstance(cell, Strong) else cell
