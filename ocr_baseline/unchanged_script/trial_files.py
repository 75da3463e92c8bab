"""What a trial's Trainer writes goes into the trial's folder: no file of the user's is touched."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ocr_baseline.lightning.attach.framework import is_a, package_of
from ocr_baseline.lightning.attach.trainer_parts import callbacks_of
from ocr_baseline.unchanged_script.set_loader import Told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lightning.pytorch import Trainer

OUTPUT_FOLDER = "output"
_STANDS_IN = "_stands_in_for_another"


def keep_together(trainer: Trainer, folder: Path) -> Iterator[Told]:
    """Have checkpoints, logs and the rest written below the trial's folder.

    Yields what was taken out instead: loggers that write to a server, or to a place that can't be
    changed from outside. A trial isn't a run to keep there.
    """
    inside = str(folder / OUTPUT_FOLDER)
    vars(trainer)["_default_root_dir"] = inside
    vars(trainer)["save_checkpoint"] = _SaveInside(trainer, inside)
    for callback in callbacks_of(trainer):
        if is_a(callback, trainer, "callbacks", "ModelCheckpoint"):
            vars(callback)["dirpath"] = os.path.join(inside, "checkpoints")  # noqa: PTH118 - its type
    kept = []
    for logger in trainer.loggers:
        if _STANDS_IN in vars(type(logger)) or _is_kept(logger, trainer, inside):
            kept.append(logger)
        else:
            name = type(logger).__name__
            yield Told(
                what=f"logger.{name}", why_not="it writes elsewhere, so trials are without it"
            )
            kept.append(_stand_in(trainer, inside))
    trainer.loggers = kept


def _stand_in(trainer: Trainer, inside: str) -> Any:
    """Return Lightning's logger that writes nothing and takes whatever a script calls on it."""
    package = import_module(f"{package_of(trainer)}.loggers.logger")

    save_dir = property(lambda self: inside)
    kind = type("Nowhere", (package.DummyLogger,), {"save_dir": save_dir, _STANDS_IN: True})
    return kind()


class _SaveInside:
    """The trainer's `save_checkpoint`, which a script calls with a path of its own; picklable."""

    def __init__(self, trainer: Trainer, inside: str) -> None:
        self._trainer = trainer
        self._inside = inside

    def __call__(self, filepath: Any, *args: Any, **kwargs: Any) -> None:
        if not str(filepath).startswith(self._inside):
            filepath = os.path.join(self._inside, os.path.basename(str(filepath)))  # noqa: PTH118, PTH119 - an address too
        type(self._trainer).save_checkpoint(self._trainer, filepath, *args, **kwargs)


def _is_kept(logger: Any, trainer: Trainer, inside: str) -> bool:
    """Have a logger write there; False where that can't be set from outside."""
    if is_a(logger, trainer, "loggers", "CSVLogger"):
        logger._save_dir = logger._root_dir = inside
        logger._experiment = None  # one that is open already writes where the script has it
        return True
    if is_a(logger, trainer, "loggers", "TensorBoardLogger"):
        logger._root_dir = inside
        logger._experiment = None
        return True
    if is_a(logger, trainer, "loggers", "WandbLogger") and logger._experiment is None:
        os.environ["WANDB_MODE"] = "offline"
        logger._wandb_init["dir"] = logger._save_dir = inside
        os.makedirs(inside, exist_ok=True)  # noqa: PTH103 - W&B falls back to /tmp without it
        return True
    return False
