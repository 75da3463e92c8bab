"""CSV that a spreadsheet opens without running anything in it: RFC 4180 with plain line feeds.

`write_csv` writes a table cell by cell. `rows_text` writes columns of numbers many rows at a time:
a long run has tens of millions of cells. There, a cell is one or more pieces, each an array of
byte strings of a fixed width padded with NUL. Side by side they are a matrix of bytes; without the
NULs that matrix is the text. The text of a number is what `repr` gives.
"""

from __future__ import annotations

import csv
import functools
import io
import math
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocr_baseline.reports.text.plain_text import single_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Piece = NDArray[np.bytes_]
    Cells = list[Piece]


Cell = str | int | float | None
_FORMULA_START = re.compile("(?:^|(?<=[;\uff1b]))(?=\\s*[=+@\uff0b\uff0d\uff1d\uff20-])")
"""At the start, and after what some spreadsheets end a cell at; fullwidth forms too."""
NANOSECONDS_IN_A_SECOND = 10**9
LARGEST_EXACT_S = 2**21
"""Below 24 days neighbouring doubles are less than a nanosecond apart, so that `repr` of a whole
number of nanoseconds has that number's digits."""
_SMALL_NS = 100_000
"""`repr` writes what is below 0.0001 with an exponent."""
MANY_ROWS = 2000
"""So many are written faster by tables of texts, which take some twenty milliseconds to make."""
_TRIMMED = 1000
_NOTHING = 2000
"""Where a table of digits goes on with trailing zeros cut off, and where it ends with no text."""


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


def rows_text(columns: Sequence[Cells]) -> str:
    """Return the columns as lines of comma-separated cells; every piece has shape (rows,)."""
    rows = len(columns[0][0])
    comma, line_feed = np.full(rows, b","), np.full(rows, b"\n")
    pieces = [piece for cells in columns for piece in (*cells, comma)]
    pieces[-1] = line_feed
    matrix = np.concatenate([piece.view(np.uint8).reshape(rows, -1) for piece in pieces], axis=1)
    return matrix.tobytes().translate(None, b"\0").decode()


def number_cells(values: NDArray[np.int64] | NDArray[np.float64]) -> Cells:
    """Return the cells of numbers, shape (rows,); one that is not finite is empty."""
    distinct, positions = np.unique(values, return_inverse=True)
    texts = [repr(value) if math.isfinite(value) else "" for value in distinct.tolist()]
    return [np.asarray(texts, dtype=np.bytes_)[positions]]


def seconds_cells(values_s: NDArray[np.float64] | NDArray[np.float32]) -> Cells:
    """Return the cells of times rounded to nanoseconds, shape (rows,).

    That is the clock's resolution, and it drops the noise digits of single precision.
    """
    rounded_ns = np.rint(values_s.astype(np.float64) * NANOSECONDS_IN_A_SECOND)
    is_exact = (rounded_ns >= 0) & (rounded_ns < LARGEST_EXACT_S * NANOSECONDS_IN_A_SECOND)
    if len(values_s) < MANY_ROWS or not is_exact.all():
        return number_cells(rounded_ns / NANOSECONDS_IN_A_SECOND)
    time_ns = rounded_ns.astype(np.int64)
    is_small = (time_ns < _SMALL_NS) & (time_ns > 0)
    whole_s, below_ns = np.divmod(time_ns, NANOSECONDS_IN_A_SECOND)
    first, rest = np.divmod(below_ns, _TRIMMED**2)
    second, third = np.divmod(rest, _TRIMMED)
    tables = _tables()
    return [
        np.where(is_small, tables.small[np.where(is_small, time_ns, 0)], number_cells(whole_s)[0]),
        tables.point_and_digits[np.where(is_small, _NOTHING, first + _TRIMMED * (rest == 0))],
        tables.digits[np.where(is_small, _NOTHING, second + _TRIMMED * (third == 0))],
        tables.digits[np.where(is_small, _NOTHING, third + _TRIMMED)],
    ]


class _Tables(NamedTuple):
    """Texts by number: of nanoseconds below `_SMALL_NS`, and of three digits after the point."""

    small: Piece
    point_and_digits: Piece
    digits: Piece


@functools.cache
def _tables() -> _Tables:
    full = [f"{number:03d}" for number in range(_TRIMMED)]
    trimmed = [digits.rstrip("0") for digits in full]
    point_and_digits = [f".{digits}" for digits in (*full, *trimmed)]
    point_and_digits[_TRIMMED] = ".0"
    small = [repr(time_ns / NANOSECONDS_IN_A_SECOND) for time_ns in range(_SMALL_NS)]
    return _Tables(
        small=np.asarray(small, dtype=np.bytes_),
        point_and_digits=np.asarray([*point_and_digits, ""], dtype=np.bytes_),
        digits=np.asarray([*full, *trimmed, ""], dtype=np.bytes_),
    )
