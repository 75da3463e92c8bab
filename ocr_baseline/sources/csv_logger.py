"""Lightning's CSVLogger: `metrics.csv`, or any CSV of that shape, and its `hparams.yaml`."""

from __future__ import annotations

import os
import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.errors import SourceError
from ocr_baseline.files import kind_of
from ocr_baseline.model.run import RunInfo
from ocr_baseline.sources.logged.folder import find_folder
from ocr_baseline.sources.logged.hyperparameters import read_config
from ocr_baseline.sources.logged.rows import read_rows
from ocr_baseline.sources.logged.run import run_of
from ocr_baseline.sources.source import ReadOptions, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from ocr_baseline.model.run import Run
    from ocr_baseline.sources.logged.keys import KeyParser
    from ocr_baseline.sources.source import LiveRun

FILE_NAME = "metrics.csv"
_COORDINATE = re.compile(r"(.+[-/])?(epoch|step|global_step|_step|_runtime)")
"""The columns that tell a row's place, a logger's prefix before them or not."""
_ROWS_AT_ONCE = 100_000


def load(place: str | Path, options: ReadOptions | None = None) -> Run:
    """Return the run of a `metrics.csv`, its folder, or the save folder of a CSVLogger.

    Raises:
        SourceError: The file is missing, unreadable, empty or no CSV of logged metrics.
    """
    file, warnings = _find_file(Path(place))
    parse = (options or ReadOptions()).keys.parse
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


def _of_trainer(live: LiveRun) -> Iterator[Run]:
    from lightning.pytorch.loggers import CSVLogger

    for logger in live.trainer.loggers:
        if isinstance(logger, CSVLogger):
            logger.save()
            yield load(logger.log_dir, live.options)


SOURCE = Source(
    name="csv",
    basis="metrics in a CSVLogger folder",
    load=load,
    of_trainer=_of_trainer,
    prefix="csv",
    file_names="*.csv",
    marks=(FILE_NAME,),
)


def _find_file(path: Path) -> tuple[Path, list[str]]:
    if kind_of(path) == "file":
        return path, []
    folder, warnings = find_folder(path, FILE_NAME, "CSV metrics")
    return folder / FILE_NAME, warnings


def _rows(file: Path, parse: KeyParser) -> Iterator[dict[str, object]]:
    """Yield the rows that hold a recognised key; empty cells are left out of them.

    A last row that was cut off is none of them.
    """
    columns = _columns(file, parse)
    metrics = [name for name in columns if parse(name)]
    if not metrics:
        return
    held: dict[int, dict[str, object]] = {}
    last = 0
    try:
        for table in _tables(file, columns, metrics):
            yield from held.values()
            held, last = _rows_by_place(table, metrics), len(table) - 1
    except (OSError, ValueError) as error:  # pandas' parser errors are ValueErrors
        raise _unreadable(file, error) from error
    if _is_cut_off(file):
        held.pop(last, None)
    yield from held.values()


def _rows_by_place(table: pd.DataFrame, metrics: list[str]) -> dict[int, dict[str, object]]:
    """Return the filled cells of each row that holds a metric, by the row's place in the table."""
    import numpy as np

    filled = {str(name): table[name].notna().to_numpy() for name in table}
    places = np.flatnonzero(np.logical_or.reduce([filled[name] for name in metrics]))
    rows: dict[int, dict[str, object]] = {place: {} for place in places.tolist()}
    for name, is_filled in filled.items():
        cells = table[name].to_numpy()[places].tolist()
        for row, cell, counts in zip(rows.values(), cells, is_filled[places], strict=True):
            if counts:
                row[name] = cell
    return rows


def _tables(file: Path, columns: list[str], metrics: list[str]) -> Iterator[pd.DataFrame]:
    """Yield the file piece by piece, metrics as text from the first one that is no number on.

    A NaN that was logged and a cell that is empty differ. pandas' parser tells them apart: asked
    for numbers, it takes an empty cell and refuses "nan". Text takes several times as long.
    """
    numbers = 0
    try:
        for table in _pieces(file, columns, dict.fromkeys(columns, float)):
            yield table
            numbers += 1
    except ValueError:
        types = dict.fromkeys(columns, float) | dict.fromkeys(metrics, object)
        yield from islice(_pieces(file, columns, types), numbers, None)


def _pieces(file: Path, columns: list[str], types: Mapping[str, type]) -> Iterator[pd.DataFrame]:
    import pandas as pd

    with pd.read_csv(
        file,
        usecols=columns,
        index_col=False,  # else a row with more cells than the header shifts them all
        dtype=types,
        keep_default_na=False,
        na_values=[""],
        chunksize=_ROWS_AT_ONCE,
    ) as pieces:
        yield from pieces


def _columns(file: Path, parse: KeyParser) -> list[str]:
    import pandas as pd

    try:
        header = list(pd.read_csv(file, nrows=0).columns)
    except (OSError, ValueError) as error:
        raise _unreadable(file, error) from error
    columns = [str(name) for name in header]
    wanted = [name for name in columns if parse(name) or _COORDINATE.fullmatch(name)]
    if not wanted:
        raise SourceError(
            f"{file}: no CSV of logged metrics: it has no column step, epoch or performance/…"
        )
    return wanted


def _is_cut_off(file: Path) -> bool:
    """Say whether the file ends within a line, as that of a run killed while it wrote."""
    with file.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) not in b"\r\n"


def _unreadable(file: Path, error: Exception) -> SourceError:
    cause = str(error).splitlines()[0] if str(error) else type(error).__name__
    return SourceError(f"{file}: can't be read as CSV: {cause}")
