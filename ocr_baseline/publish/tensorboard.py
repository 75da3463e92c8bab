"""The numbers and the Markdown in TensorBoard's event files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ocr_baseline.errors import PublishError
from ocr_baseline.publish.target import Target

if TYPE_CHECKING:
    from ocr_baseline.publish.publication import Publication
    from ocr_baseline.sources.source import LiveRun, ReadOptions

TEXT_TAG = "baseline/report"
_NEEDS = "it needs the package tensorboard: pip install 'ocr-baseline[tensorboard]'"
_FOLD = re.compile(r"^</?details>\n?", re.MULTILINE)
_SUMMARY = re.compile(r"^<summary>(.*)</summary>$", re.MULTILINE)


def write(writer: Any, publication: Publication) -> None:
    """Write into a `SummaryWriter`, torch's or tensorboardX's, which stays open."""
    for name, value in publication.scalars.items():
        writer.add_scalar(name, value, publication.batches)
    writer.add_text(TEXT_TAG, unfolded(publication.markdown), publication.batches)
    writer.flush()


def unfolded(markdown: str) -> str:
    """Return the Markdown without folds, whose tags TensorBoard shows as text."""
    return _SUMMARY.sub(r"## \1", _FOLD.sub("", markdown))


def _to_logger(publication: Publication, live: LiveRun) -> None:
    loggers = live.loggers_of("TensorBoardLogger")
    if not loggers:
        raise PublishError("the trainer has no TensorBoardLogger: add one, or leave it out")
    for logger in loggers:
        write(logger.experiment, publication)


def _to_place(publication: Publication, place: str, options: ReadOptions) -> str:
    if not place:
        raise PublishError("name the folder: tensorboard:FOLDER")
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise PublishError(f"tensorboard:{place}: {_NEEDS}") from error
    try:
        with SummaryWriter(place) as writer:
            write(writer, publication)
    except OSError as error:
        cause = error.strerror or error
        raise PublishError(f"tensorboard:{place}: {cause}; name a folder to write to") from error
    return f"TensorBoard's events in {place}"


TARGET = Target(form="tensorboard:FOLDER", to_logger=_to_logger, to_place=_to_place)
