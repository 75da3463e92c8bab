"""Lightning's CSVLogger: `metrics.csv`, or any CSV of that shape, and its `hparams.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.errors import SourceError
from ocr_baseline.files import kind_of
from ocr_baseline.model.run import RunInfo
from ocr_baseline.sources.csv_table import CsvTable
from ocr_baseline.sources.logged.folder import find_folder
from ocr_baseline.sources.logged.hyperparameters import read_config
from ocr_baseline.sources.logged.rows import read_rows
from ocr_baseline.sources.logged.run import run_of
from ocr_baseline.sources.source import ReadOptions, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.model.run import Run
    from ocr_baseline.sources.logged.keys import KeyParser
    from ocr_baseline.sources.source import LiveRun

FILE_NAME = "metrics.csv"


def load(place: str | Path, options: ReadOptions | None = None) -> Run:
    """Return the run of a `metrics.csv`, its folder, or the save folder of a CSVLogger.

    Raises:
        SourceError: The file is missing, unreadable, empty or no CSV of logged metrics.
    """
    parse = (options or ReadOptions()).keys.parse
    file, warnings = _find_file(Path(place), parse)
    table = CsvTable(file, parse)
    reading = read_rows(table.rows(), parse=parse)
    config, missing = read_config(file.parent)
    return run_of(
        RunInfo(source="csv", name=file.parent.name or None),
        reading,
        config=config,
        missing=missing,
        warnings=[*warnings, *table.warnings],
    )


def _of_trainer(live: LiveRun) -> Iterator[Run]:
    for logger in live.loggers_of("CSVLogger"):
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


def _find_file(path: Path, parse: KeyParser) -> tuple[Path, list[str]]:
    if kind_of(path) == "file":
        return path, []

    def is_logged(file: Path) -> bool:
        try:
            CsvTable(file, parse)
        except SourceError:
            return False
        return True

    folder, warnings = find_folder(path, FILE_NAME, "CSV metrics", is_logged)
    return folder / FILE_NAME, warnings
