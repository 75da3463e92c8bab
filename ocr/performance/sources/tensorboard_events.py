"""TensorBoard event folders, read with TensorBoard's own reader (the extra `tensorboard`)."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Protocol

from ocr.performance.errors import SourceError
from ocr.performance.run import RunInfo
from ocr.performance.sources.hyperparameters import read_config
from ocr.performance.sources.logged_run import run_of
from ocr.performance.sources.logger_folder import find_folder
from ocr.performance.sources.metric_keys import parse_key
from ocr.performance.sources.metric_rows import read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ocr.performance.run import Run

_EVENT_FILES = "*tfevents*"
_READ_ALL = {"scalars": 0, "tensors": 1, "images": 1, "audio": 1, "histograms": 1}
"""How many events of a kind the reader keeps: 0 is all of them."""


class _Scalar(Protocol):
    wall_time: float
    step: int
    value: float


def load(path: Path) -> Run:
    """Return the run of an event file's folder, or of the save folder of a TensorBoardLogger.

    TensorBoard stores 32-bit floats: times agree with what was logged to 7 digits.

    Raises:
        SourceError: The package is missing, or there is no event file, or none can be read.
    """
    root = path.parent if path.is_file() else path
    folder, warnings = find_folder(root, _EVENT_FILES, "TensorBoard events")
    scalars = _read_scalars(folder)
    reading = read_rows(_rows(scalars))
    config, missing = read_config(folder)
    return run_of(
        _info(folder, scalars), reading, config=config, missing=missing, warnings=warnings
    )


def _read_scalars(folder: Path) -> Mapping[str, list[_Scalar]]:
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    except ImportError as error:
        raise SourceError(
            f"{folder}: reading TensorBoard events needs the package tensorboard: "
            "pip install 'ocr-baseline[tensorboard]'"
        ) from error
    accumulator = EventAccumulator(str(folder), size_guidance=_READ_ALL)
    with _quiet():
        accumulator.Reload()
    scalars = {tag: accumulator.Scalars(tag) for tag in accumulator.Tags()["scalars"]}
    if not scalars:
        raise SourceError(f"{folder}: its event files hold no scalar that can be read")
    return scalars


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


def _rows(scalars: Mapping[str, list[_Scalar]]) -> Iterator[dict[str, object]]:
    """Yield one row for each recognised event in the order of time, with its step's epoch."""
    epochs = _epoch_of_step(scalars)
    start = min(event.wall_time for events in scalars.values() for event in events)
    found = [(event, tag) for tag, events in scalars.items() if parse_key(tag) for event in events]
    for event, tag in sorted(found, key=lambda entry: (entry[0].wall_time, entry[0].step)):
        yield {
            tag: event.value,
            "step": event.step,
            "epoch": epochs.get(event.step),
            "_runtime": event.wall_time - start,
        }


def _epoch_of_step(scalars: Mapping[str, list[_Scalar]]) -> dict[int, float]:
    tags = [tag for tag in scalars if tag == "epoch" or tag.endswith(("-epoch", "/epoch"))]
    return {event.step: event.value for tag in tags for event in scalars[tag]}


def _info(folder: Path, scalars: Mapping[str, list[_Scalar]]) -> RunInfo:
    times = [event.wall_time for events in scalars.values() for event in events]
    return RunInfo(
        source="tensorboard",
        name=folder.name or None,
        started_at=datetime.fromtimestamp(min(times), tz=timezone.utc),
    )
