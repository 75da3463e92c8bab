"""Lightning's CSVLogger: `metrics.csv`, or any CSV of that shape, and its `hparams.yaml`."""

from __future__ import annotations

import math
import os
import re
from typing import TYPE_CHECKING

from ocr.performance.errors import SourceError
from ocr.performance.run import RunInfo
from ocr.performance.sources.hyperparameters import read_config
from ocr.performance.sources.logged_run import run_of
from ocr.performance.sources.logger_folder import find_folder
from ocr.performance.sources.metric_keys import key_parser
from ocr.performance.sources.metric_rows import read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas as pd

    from ocr.performance.run import Run
    from ocr.performance.sources.metric_keys import KeyParser

FILE_NAME = "metrics.csv"
_COORDINATE = re.compile(r"(.+[-/])?(epoch|step|global_step|_step|_runtime)")
"""The columns that tell a row's place, a logger's prefix before them or not."""
_ROWS_AT_ONCE = 100_000
_BYTES_OF_NUMBERS = b"0123456789+-.eE,\r\n"
_BYTES_AT_ONCE = 2**20


def load(path: Path, *, metric_names: Mapping[str, str] | None = None) -> Run:
    """Return the run of a `metrics.csv`, its folder, or the save folder of a CSVLogger.

    `metric_names` are a user's own keys, as `key_parser` takes them.

    Raises:
        SourceError: The file is missing, unreadable, empty or no CSV of logged metrics.
    """
    file, warnings = _find_file(path)
    parse = key_parser(metric_names)
    reading = read_rows(_rows(file, parse), parse=parse)
    if _is_cut_off(file):
        warnings = [*warnings, f"{file.name} ends within a line: its last row was left out."]
    config, missing = read_config(file.parent)
    return run_of(
        RunInfo(source="csv", name=file.parent.name or None),
        reading,
        config=config,
        missing=missing,
        warnings=warnings,
    )


def _find_file(path: Path) -> tuple[Path, list[str]]:
    if path.is_file():
        return path, []
    folder, warnings = find_folder(path, FILE_NAME, "CSV metrics")
    return folder / FILE_NAME, warnings


def _rows(file: Path, parse: KeyParser) -> Iterator[dict[str, object]]:
    """Yield the rows that hold a recognised key; empty cells are left out of them."""
    columns = _columns(file, parse)
    metrics = [name for name in columns if parse(name)]
    if not metrics:
        return
    try:
        for table in _tables(file, columns, metrics):
            for row in table.dropna(how="all", subset=metrics).to_dict("records"):
                yield {str(name): cell for name, cell in row.items() if not _is_empty(cell)}
    except (OSError, ValueError) as error:  # pandas' parser errors are ValueErrors
        raise _unreadable(file, error) from error


def _tables(file: Path, columns: list[str], metrics: list[str]) -> Iterator[pd.DataFrame]:
    """Yield the file piece by piece, without a last row that was cut off.

    A NaN that was logged and a cell that is empty differ: where a file may hold one, metrics are
    read as text, which takes several times as long.
    """
    import pandas as pd

    text = () if _holds_numbers_only(file) else metrics
    held: pd.DataFrame | None = None
    with pd.read_csv(
        file,
        usecols=columns,
        index_col=False,  # else a row with more cells than the header shifts them all
        dtype={name: object if name in text else float for name in columns},
        keep_default_na=False,
        na_values=[""],
        chunksize=_ROWS_AT_ONCE,
        encoding="utf-8-sig",
    ) as pieces:
        for piece in pieces:
            if held is not None:
                yield held
            held = piece
    if held is not None:
        yield held.iloc[:-1] if _is_cut_off(file) else held


def _columns(file: Path, parse: KeyParser) -> list[str]:
    import pandas as pd

    try:
        header = list(pd.read_csv(file, nrows=0, encoding="utf-8-sig").columns)
    except (OSError, ValueError) as error:
        raise _unreadable(file, error) from error
    columns = [str(name) for name in header]
    wanted = [name for name in columns if parse(name) or _COORDINATE.fullmatch(name)]
    if not wanted:
        raise SourceError(
            f"{file}: no CSV of logged metrics: it has no column step, epoch or performance/…"
        )
    return wanted


def _is_empty(cell: object) -> bool:
    return isinstance(cell, float) and math.isnan(cell)


def _holds_numbers_only(file: Path) -> bool:
    """Say whether every cell below the header is a number or empty, and the last one whole."""
    with file.open("rb") as stream:
        stream.readline()
        while block := stream.read(_BYTES_AT_ONCE):
            if block.translate(None, _BYTES_OF_NUMBERS):
                return False
    return not _is_cut_off(file)


def _is_cut_off(file: Path) -> bool:
    """Say whether the file ends within a line, as that of a run killed while it wrote."""
    with file.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) not in b"\r\n"


def _unreadable(file: Path, error: Exception) -> SourceError:
    cause = str(error).splitlines()[0] if str(error) else type(error).__name__
    return SourceError(f"{file}: can't be read as CSV: {cause}")
