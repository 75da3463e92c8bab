"""What `ocr-baseline prove` sets in a trial from outside, carried in the process's environment.

Every process that makes a Trainer reads this: nothing is imported for it that a process that wasn't
asked would pay for.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocr_baseline.layout import TRIAL_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTINGS = "OCR_BASELINE_SETTINGS"
TOLD_NAME = "settings.json"
"""In a trial's folder: what was set there, from what to what, and what couldn't be."""


@dataclass(frozen=True, kw_only=True)
class LoaderSettings:
    """What to set of the loaders of a stage; None leaves it as it is.

    `worker_threads` is in how many threads torch computes in each of their workers.
    """

    num_workers: int | None = None
    prefetch_factor: int | None = None
    persistent_workers: bool | None = None
    pin_memory: bool | None = None
    batch_size: int | None = None
    worker_threads: int | None = None

    def given(self) -> dict[str, Any]:
        """Return what is to be set."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class TrainerSettings:
    """What to set of the Trainer; None leaves it as it is.

    `torch_threads` is in how many threads torch computes in the main process. The intervals of its
    logging and of its checkpoints become so many times as long.
    """

    torch_threads: int | None = None
    logging_interval_times: int | None = None
    checkpoint_interval_times: int | None = None

    def given(self) -> dict[str, Any]:
        """Return what is to be set."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long a trial trains: epochs, and batches in each; None leaves it as it is."""

    max_epochs: int | None = None
    train_batches: int | None = None
    validation_batches: int | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that is put in from outside for one trial."""

    train: LoaderSettings = field(default_factory=LoaderSettings)
    validation: LoaderSettings = field(default_factory=LoaderSettings)
    trainer: TrainerSettings = field(default_factory=TrainerSettings)
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def of_loader(cls, phase: str, loader: LoaderSettings) -> Settings:
        """Return the settings of one loader: that of `train`, or that of `validation`."""
        return cls(train=loader) if phase == "train" else cls(validation=loader)

    def environment(self) -> dict[str, str]:
        """Return the variables that carry it to a process and to all that this one starts."""
        return {SETTINGS: json.dumps(asdict(self))}

    def given(self) -> dict[str, Any]:
        """Return what is to be set beside the limits, as `train.num_workers` and the like."""
        return {
            f"{part}.{name}": value
            for part in ("train", "validation", "trainer")
            for name, value in getattr(self, part).given().items()
        }


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A process that is one of `prove`'s trials: what to set, and the folder that it may fill."""

    settings: Settings
    folder: Path


def trial(environment: Mapping[str, str] = os.environ) -> Trial | None:
    """Return what this process is to try, None where it isn't a trial with settings.

    Raises:
        ValueError: The variables hold something else than settings.
    """
    text, folder = environment.get(SETTINGS), environment.get(TRIAL_VARIABLE)
    if not text or not folder:
        return None
    given = json.loads(text)
    if not isinstance(given, dict):
        raise ValueError(f"{SETTINGS} holds no settings")
    return Trial(
        settings=Settings(
            train=_part(LoaderSettings, given.get("train")),
            validation=_part(LoaderSettings, given.get("validation")),
            trainer=_part(TrainerSettings, given.get("trainer")),
            limits=_part(Limits, given.get("limits")),
        ),
        folder=Path(folder),
    )


def _part(kind: Any, given: Any) -> Any:
    known = {one.name for one in fields(kind)}
    if given is None:
        return kind()
    if not isinstance(given, dict) or not known.issuperset(given):
        raise ValueError(f"{SETTINGS} holds settings that aren't known")
    return kind(**given)
