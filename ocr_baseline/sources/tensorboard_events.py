"""TensorBoard event folders, read with TensorBoard's own reader (the extra `tensorboard`)."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.errors import SourceError
from ocr_baseline.model.run import RunInfo
from ocr_baseline.sources.logged.folder import find_folder
from ocr_baseline.sources.logged.hyperparameters import read_config
from ocr_baseline.sources.logged.instants import utc_instant
from ocr_baseline.sources.logged.rows import read_rows
from ocr_baseline.sources.logged.run import run_of
from ocr_baseline.sources.logged.series import rows_of
from ocr_baseline.sources.source import ReadOptions, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ocr_baseline.model.run import Run
    from ocr_baseline.sources.logged.series import Point
    from ocr_baseline.sources.source import LiveRun

_EVENT_FILES = "*tfevents*"
_READ_ALL = {"scalars": 0, "tensors": 1, "images": 1, "audio": 1, "histograms": 1}
"""How many events of a kind the reader keeps: 0 is all of them."""


def load(place: str | Path, options: ReadOptions | None = None) -> Run:
    """Return the run of an event file's folder, or of the save folder of a TensorBoardLogger.

    TensorBoard stores 32-bit floats: times agree with what was logged to 7 digits.

    Raises:
        SourceError: The package is missing, or there is no event file, or none can be read.
    """
    path = Path(place)
    root = path.parent if path.is_file() else path
    folder, warnings = find_folder(root, _EVENT_FILES, "TensorBoard events")
    scalars, damage = _read_scalars(folder)
    warnings += damage
    parse = (options or ReadOptions()).keys.parse
    reading = read_rows(rows_of(scalars, parse), parse=parse)
    config, missing = read_config(folder)
    return run_of(
        _info(folder, scalars), reading, config=config, missing=missing, warnings=warnings
    )


def _of_trainer(live: LiveRun) -> Iterator[Run]:
    from lightning.pytorch.loggers import TensorBoardLogger

    for logger in live.trainer.loggers:
        if isinstance(logger, TensorBoardLogger):
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


def _read_scalars(folder: Path) -> tuple[Mapping[str, list[Point]], list[str]]:
    """Return the series that can be read, and a warning where what follows an event can't."""
    try:
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # has no types
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    except ImportError as error:
        raise SourceError(
            f"{folder}: reading TensorBoard events needs the package tensorboard: "
            "pip install 'ocr-baseline[tensorboard]'"
        ) from error
    accumulator = EventAccumulator(str(folder), size_guidance=_READ_ALL)
    warnings = []
    with _quiet():
        try:
            accumulator.Reload()
        except DecodeError:
            warnings.append("An event is damaged: the events after it were left out.")
    scalars = {tag: accumulator.Scalars(tag) for tag in accumulator.Tags()["scalars"]}
    if not scalars:
        raise SourceError(f"{folder}: its event files hold no scalar that can be read")
    return scalars, warnings


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


def _info(folder: Path, scalars: Mapping[str, list[Point]]) -> RunInfo:
    times = [event.wall_time for events in scalars.values() for event in events]
    return RunInfo(
        source="tensorboard",
        name=folder.name or None,
        started_at=utc_instant(min(times)),
    )
