"""What a source is: how its runs are named, recognized and read."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocr_baseline.files import is_regular
from ocr_baseline.sources.logged.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lightning.pytorch import Trainer

    from ocr_baseline.model.run import Run, RunInfo
    from ocr_baseline.vocabulary import SourceName

DEFAULT_TIMEOUT_S = 10.0
"""Leaves a command that must end within 15 s time to start and to end."""

_LOGGER_PACKAGES = ("lightning.pytorch.loggers", "pytorch_lightning.loggers")
"""The framework has two names, and classes of its own under each."""


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What a source may need to know beside the place; each takes what concerns it.

    Attributes:
        keys: The keys that count as metrics, the user's own names among them.
        project: The W&B project of a run named by its id alone; else WANDB_PROJECT.
        entity: The W&B entity of a run whose name has none; else the account's default.
        mlflow_uri: A folder, `sqlite:///FILE` or a server's URL; else MLFLOW_TRACKING_URI.
        timeout_s: Give up when nothing has come from a server for so long.
        limit_s: Give up on a server after so long, even when rows still come.
        until_s: Give up on every server at this instant of `time.monotonic`, even when its client
            isn't up yet.
    """

    keys: Keys = field(default_factory=Keys)
    project: str | None = None
    entity: str | None = None
    mlflow_uri: str | None = None
    timeout_s: float = DEFAULT_TIMEOUT_S
    limit_s: float | None = None
    until_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class LiveRun:
    """A run whose trainer is at hand."""

    trainer: Trainer
    info: RunInfo
    records_folder: Path | None
    options: ReadOptions

    def loggers_of(self, class_name: str) -> list[Any]:
        """Return the trainer's loggers of a class of Lightning's, under either of its names.

        One that a run which fails at its start hasn't come to use is left alone.
        """
        return [
            logger
            for logger in self.trainer.loggers
            if _is_logger_of(type(logger), class_name) and has_begun(logger)
        ]


def has_begun(logger: Any) -> bool:
    """Whether a logger has its files or its run at a server; asked for them, it would begin one."""
    is_there = getattr(logger, "_experiment", logger) is not None
    return is_there and bool(getattr(logger, "_initialized", True))  # MLflow's


def _is_logger_of(logger_class: type, class_name: str) -> bool:
    return any(
        base.__name__ == class_name and base.__module__.startswith(_LOGGER_PACKAGES)
        for base in logger_class.__mro__
    )


@dataclass(frozen=True, kw_only=True)
class Source:
    """One kind of place that runs are read from.

    Attributes:
        name: What documents and settings call it.
        basis: What a report that was made from it rests on, in words.
        of_trainer: Yields one run per logger that a live trainer has of this source, or none.
        load: Reads the run at a place; None where only a live trainer has one.
        prefix: What comes before the colon where a place names its source, as in `csv:PATH`.
        file_names: Pattern of the names of its files.
        marks: Patterns of files relative to a folder that make the folder a run of this source.
        server: The server that is asked for a run, which may take its time; None for files.
    """

    name: SourceName
    basis: str
    of_trainer: Callable[[LiveRun], Iterator[Run]]
    load: Callable[[str, ReadOptions], Run] | None = None
    prefix: str | None = None
    file_names: str = ""
    marks: tuple[str, ...] = ()
    server: str | None = None

    def owns_file(self, path: Path) -> bool:
        """Whether a file's name is one of this source."""
        return fnmatchcase(path.name, self.file_names)

    def owns_folder(self, path: Path) -> bool:
        """Whether a folder is a run of this source, by the regular files in it."""
        return any(is_regular(file) for mark in self.marks for file in path.glob(mark))
