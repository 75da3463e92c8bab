"""A CSV file of logged metrics as rows: pandas' parser first, and row by row what it refuses."""

from __future__ import annotations

import csv
import io
import os
import re
from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING

from ocr_baseline.errors import SourceError
from ocr_baseline.files import open_regular, reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from ocr_baseline.sources.logged.keys import KeyParser

_COORDINATE = re.compile(r"(.+[-/])?(epoch|step|global_step|_step|_runtime)")
"""The columns that tell a row's place, a logger's prefix before them or not."""
_SEPARATORS = (",", ";", "\t")
ROWS_AT_ONCE = 100_000
"""How many rows of a file are in memory together."""
_HEADER_BYTES = (64 * 2**10, 4 * 2**20)
_HEADER_ROWS = 20
"""How far into a file its header can be: exports begin with comments, and names can be long. Few
files need the second of the two sizes."""

Row = dict[str, object]


class CsvTable:
    """The rows of a file that hold a metric, and what was passed over once they were read.

    Raises:
        SourceError: The file can't be read, or has no column of logged metrics.
    """

    def __init__(self, file: Path, parse: KeyParser) -> None:
        """Find the header."""
        self._file = file
        self._parse = parse
        self._passed = _PassedOver()
        try:
            with open_regular(file) as stream:
                self._layout = self._find_layout(stream)
                self.is_cut_off = _is_cut_off(stream)
        except OSError as error:
            raise SourceError(f"can't read {file}: {reason(error)}") from error
        self._passed.before_header = self._layout.rows_before
        self._passed.double = self._layout.double
        self._wanted = self._wanted_in(self._layout.names)

    def rows(self) -> Iterator[Row]:
        """Yield the rows with a metric, without their empty cells; a row cut off is none."""
        if not any(self._parse(name) for name in self._wanted.values()):
            return
        try:
            yield from _without_last(self._all_rows(), is_cut_off=self.is_cut_off)
        except (OSError, ValueError, csv.Error) as error:  # pandas' parser errors are ValueErrors
            raise _unreadable(self._file, error) from error

    @property
    def warnings(self) -> list[str]:
        """What was passed over, in words."""
        cut = f"{self._file.name} ends within a line: its last row was left out."
        return [*self._passed.sentences(), *([cut] if self.is_cut_off else [])]

    def _all_rows(self) -> Iterator[Row | None]:
        """Yield every row, None for one without a metric."""
        pieces = 0
        try:
            for table in self._pieces():
                yield from self._rows_of(table)
                pieces += 1
        except (ValueError, IndexError):  # IndexError: of files that end within their header
            # Something is no number: an epoch, a NaN that was logged, the header again.
            yield from self._rows_one_by_one(pieces * ROWS_AT_ONCE)

    def _pieces(self) -> Iterator[pd.DataFrame]:
        import pandas as pd

        width = len(self._layout.names)
        with (
            open_regular(self._file) as stream,
            pd.read_csv(
                stream,
                sep=self._layout.separator,
                encoding=self._layout.encoding,
                skiprows=self._layout.lines_before,
                header=0,
                names=list(range(width)),
                usecols=list(self._wanted),
                index_col=False,  # else a row with more cells than the header shifts them all
                dtype=dict.fromkeys(self._wanted, float),
                keep_default_na=False,
                na_values=[""],
                skipinitialspace=True,
                chunksize=ROWS_AT_ONCE,
            ) as pieces,
        ):
            yield from pieces

    def _rows_of(self, table: pd.DataFrame) -> Iterator[Row | None]:
        import numpy as np

        filled = {place: table[place].notna().to_numpy() for place in self._wanted}
        metrics = [filled[place] for place, name in self._wanted.items() if self._parse(name)]
        places = np.flatnonzero(np.logical_or.reduce(metrics))
        rows: list[Row] = [{} for _ in places]
        for place, is_filled in filled.items():
            name, cells = self._wanted[place], table[place].to_numpy()[places].tolist()
            for row, cell, counts in zip(rows, cells, is_filled[places], strict=True):
                if counts:
                    row[name] = cell
        yield from rows
        if len(table) and (not len(places) or places[-1] != len(table) - 1):
            yield None

    def _rows_one_by_one(self, read_before: int) -> Iterator[Row | None]:
        wanted, width = self._wanted, len(self._layout.names)
        with (
            open_regular(self._file) as stream,
            io.TextIOWrapper(stream, self._layout.encoding, newline="") as text,
        ):
            for _ in range(self._layout.lines_before):
                text.readline()
            reader = csv.reader(
                text, delimiter=self._layout.separator, skipinitialspace=True, strict=True
            )
            filled = (row for row in reader if row and (len(row) > 1 or row[0].strip()))
            for row in islice(filled, 1 + read_before, None):
                found = self._cells(row, wanted)
                if found is None:
                    wanted, width = self._wanted_in(row), len(row)
                    continue
                self._passed.longer += any(cell.strip() for cell in row[width:])
                yield found if any(self._parse(name) for name in found) else None

    def _cells(self, row: Sequence[str], wanted: dict[int, str]) -> Row | None:
        """Return the filled cells of a row, None for a header; a place that is no number is none.

        Metrics stay text: what was logged instead of a number is told where it is missing.
        """
        cells: Row = {}
        misplaced = False
        for place, name in wanted.items():
            cell = row[place].strip() if place < len(row) else ""
            if not cell:
                continue
            if not _is_number(cell):
                if cell == name or (_is_wanted(cell, self._parse) and self._wanted_in(row)):
                    self._passed.headers += 1
                    return None
                if not self._parse(name):
                    misplaced = True
                    continue
            cells[name] = cell
        self._passed.misplaced += misplaced
        return cells

    def _wanted_in(self, names: Sequence[str]) -> dict[int, str]:
        """Return the columns that are read, by their place; the first of several of one name."""
        found: dict[str, int] = {}
        for place, name in enumerate(names):
            if _is_wanted(name.strip(), self._parse):
                found.setdefault(name.strip(), place)
        return {place: name for name, place in found.items()}

    def _find_layout(self, stream: IO[bytes]) -> _Layout:
        beginning = b""
        for size in _HEADER_BYTES:
            beginning += stream.read(size - len(beginning))
            is_whole = len(beginning) < size
            layout = self._layout_in(beginning if is_whole else _whole_lines(beginning))
            if layout is not None:
                return layout
            if is_whole:
                break
        text = _text(beginning)[1]
        if not text.strip():
            raise SourceError(f"{self._file}: not a CSV of logged metrics: the file is empty")
        first = text.splitlines()[0][:80]
        raise SourceError(
            f"{self._file}: not a CSV of logged metrics: it has no column step, epoch or "
            f"performance/…; it begins with {first!r}"
        )

    def _layout_in(self, beginning: bytes) -> _Layout | None:
        encoding, text = _text(beginning)
        for separator in _SEPARATORS:
            reader = csv.reader(
                io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True
            )
            try:
                before = 0
                for number, row in enumerate(islice(reader, _HEADER_ROWS)):
                    if self._wanted_in(row):
                        return _layout(encoding, separator, number, before, row, self._parse)
                    before = reader.line_num
            except csv.Error:
                continue
        return None


def _text(beginning: bytes) -> tuple[str, str]:
    """Return the encoding of a file, told by its byte order mark, and its beginning as text."""
    encoding = "utf-16" if beginning[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return encoding, beginning.decode(encoding, "ignore")


def _whole_lines(beginning: bytes) -> bytes:
    """Leave out the last line, which may go on."""
    return beginning[: max(beginning.rfind(b"\n"), beginning.rfind(b"\r")) + 1]


@dataclass(frozen=True, kw_only=True)
class _Layout:
    encoding: str
    separator: str
    rows_before: int
    lines_before: int
    names: tuple[str, ...]
    double: tuple[str, ...]


def _layout(
    encoding: str, separator: str, rows: int, lines: int, header: Sequence[str], parse: KeyParser
) -> _Layout:
    names = tuple(name.strip() for name in header)
    double = {name for name in names if names.count(name) > 1 and _is_wanted(name, parse)}
    return _Layout(
        encoding=encoding,
        separator=separator,
        rows_before=rows,
        lines_before=lines,
        names=names,
        double=tuple(sorted(double)),
    )


@dataclass
class _PassedOver:
    """What of a file was not read, or not as it stands there."""

    before_header: int = 0
    headers: int = 0
    misplaced: int = 0
    longer: int = 0
    double: tuple[str, ...] = ()

    def sentences(self) -> Iterator[str]:
        if self.before_header:
            yield f"Lines before the header were passed over: {self.before_header}."
        if self.headers:
            yield (
                f"The header comes again (lines: {self.headers}), as where a resumed run went on "
                "writing: those lines were passed over, and the columns after them are theirs."
            )
        if self.misplaced:
            yield (
                f"The epoch or the step isn't a number (rows: {self.misplaced}): what was "
                "measured there was read, without its place."
            )
        if self.longer:
            yield f"Cells beyond the header were passed over (rows: {self.longer})."
        for name in self.double:
            yield f"Several columns are named {name}: the first was read."


def _is_wanted(name: str, parse: KeyParser) -> bool:
    return parse(name) is not None or _COORDINATE.fullmatch(name) is not None


def _is_number(cell: str) -> bool:
    """Whether a cell is a finite number; an epoch that is NaN is none."""
    try:
        number = float(cell)
    except ValueError:
        return False
    return number - number == 0.0


def _without_last(rows: Iterable[Row | None], *, is_cut_off: bool) -> Iterator[Row]:
    """Yield the rows with a metric, without the last of all where that was cut off."""
    held: Row | None = None
    for row in rows:
        if held is not None:
            yield held
        held = row
    if held is not None and not is_cut_off:
        yield held


def _is_cut_off(stream: IO[bytes]) -> bool:
    """Say whether a file ends within a line, as that of a run killed while it wrote."""
    stream.seek(max(0, stream.seek(0, os.SEEK_END) - 2))
    return stream.read().rstrip(b"\0")[-1:] not in (b"\r", b"\n")


def _unreadable(file: Path, error: Exception) -> SourceError:
    cause = str(error).splitlines()[0] if str(error) else type(error).__name__
    return SourceError(f"{file}: can't be read as CSV: {cause}")
