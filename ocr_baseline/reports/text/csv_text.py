"""CSV that a spreadsheet opens without running anything in it: RFC 4180 with plain line feeds."""

from __future__ import annotations

import csv
import io
import math
import re
from typing import TYPE_CHECKING

from ocr_baseline.reports.text.plain_text import single_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Cell = str | int | float | None
_FORMULA_START = re.compile("(?:^|(?<=[;\uff1b]))(?=\\s*[=+@\uff0b\uff0d\uff1d\uff20-])")
"""At the start, and after what some spreadsheets end a cell at; fullwidth forms too."""


def write_csv(headers: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return the table as CSV text, its texts made safe and its numbers in full precision."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([safe_text(header) for header in headers])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def safe_text(text: str) -> str:
    """Return text on one line that a spreadsheet takes for text.

    An apostrophe goes before a character that would start a formula (OWASP, "CSV Injection").
    """
    return _FORMULA_START.sub("'", single_line(text))


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ""
    return str(value)
