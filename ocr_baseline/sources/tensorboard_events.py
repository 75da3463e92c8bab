"""TensorBoard event folders, read with TensorBoard's own reader (the extra `tensorboard`)."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.files import is_regular, kind_of
from ocr_baseline.model.run import RunInfo
from ocr_baseline.sources.logged.folder import find_folder
from ocr_baseline.sources.logged.hyperparameters import read_config
from ocr_baseline.sources.logged.instants import utc_instant
from ocr_baseline.sources.logged.rows import read_rows
from ocr_baseline.sources.logged.run import run_of
from ocr_baseline.sources.logged.series import rows_of
from ocr_baseline.sources.source import ReadOptions, Source
from ocr_baseline.sources.tensorboard_files import read_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.model.run import Run
    from ocr_baseline.sources.source import LiveRun

_EVENT_FILES = "*tfevents*"


def load(place: str | Path, options: ReadOptions | None = None) -> Run:
    """Return the run of an event file, of its folder, or of a TensorBoardLogger's save folder.

    A file that is named is read alone. The files of a folder are one run where they continue each
    other; else they are refused, and the message names them.

    TensorBoard stores 32-bit floats: times agree with what was logged to 7 digits.

    Raises:
        SourceError: The package is missing, or there is no event file, or none can be read.
    """
    path = Path(place)
    warnings: list[str] = []
    if kind_of(path) == "file":
        folder, files = path.parent, [path]
    else:
        folder, warnings = find_folder(path, _EVENT_FILES, "TensorBoard events")
        files = sorted(file for file in folder.glob(_EVENT_FILES) if is_regular(file))
    parse = (options or ReadOptions()).keys.parse
    with _quiet():
        found = read_files(files, parse)
    reading = read_rows(rows_of(found.series, parse), parse=parse)
    config, missing = read_config(folder)
    return run_of(
        _info(folder, found.started_at_s),
        reading,
        config=config,
        missing=missing,
        warnings=[*warnings, *found.warnings],
    )


def _of_trainer(live: LiveRun) -> Iterator[Run]:
    for logger in live.loggers_of("TensorBoardLogger"):
        logger.save()
        yield load(logger.log_dir, live.options)


SOURCE = Source(
    name="tensorboard",
    basis="metrics in a TensorBoard folder",
    load=load,
    of_trainer=_of_trainer,
    prefix="tensorboard",
    file_names=_EVENT_FILES,
    marks=(_EVENT_FILES,),
)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep TensorBoard's remarks on damaged files off the terminal; what is whole is read."""
    logger = logging.getLogger("tensorboard")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _info(folder: Path, started_at_s: float | None) -> RunInfo:
    return RunInfo(
        source="tensorboard",
        name=folder.name or None,
        started_at=utc_instant(started_at_s),
    )
