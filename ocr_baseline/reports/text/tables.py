"""A table as a value, which Markdown (`markdown`) and a terminal (`screen.grid`) print alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.reports.text.markdown_text import MarkdownText, code, escape, table

if TYPE_CHECKING:
    from collections.abc import Sequence


class Name(str):
    """A name or a value from outside, set apart from words: code in Markdown."""

    __slots__ = ()


class Strong(str):
    """Text that is meant to be seen first: bold in Markdown."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class Table:
    """Headers as Markdown shows them (a terminal in lower case), and rows of as many cells.

    `align` has a letter for each column: `l` (the default) or `r`.
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
        return code(cell)
    return MarkdownText(f"**{escape(cell)}**") if isinstance(cell, Strong) else cell
