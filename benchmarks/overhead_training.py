"""The training whose cost is measured: an ordinary step, and what may sit on it.

Automatic optimization, a `DataLoader`, `self.log` in both steps, a CSV logger, progress bar,
checkpoint and summary, as a user has them; as many validation batches as training batches. The step
itself is small, so that what sits on it shows.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import (
    DeviceStatsMonitor,
    ModelCheckpoint,
    ModelSummary,
    TQDMProgressBar,
)
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader, TensorDataset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Options = Mapping[str, Any]
    MakeOptions = Callable[[Path], Options]

NOTHING = "nothing"
TWO_EMPTY = "two empty callbacks"
OURS = "ours"
OURS_UNSAMPLED = "ours, without sampling"
BATCH_SIZE = 4
FEATURES = 8


class OrdinaryModule(LightningModule):
    """A linear layer that is trained on its own output."""

    def __init__(self) -> None:
        """Make the layer."""
        super().__init__()
        self.layer = torch.nn.Linear(FEATURES, 1)

    def training_step(self, batch: list[torch.Tensor], batch_idx: int) -> torch.Tensor:
        """Log the loss, as most modules do."""
        loss: torch.Tensor = self.layer(batch[0]).mean()
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: list[torch.Tensor], batch_idx: int) -> None:
        """Log it too."""
        self.log("val_loss", self.layer(batch[0]).mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return what the trainer asks for."""
        return torch.optim.SGD(self.parameters(), lr=0.1)


class EmptyBatchCallback(Callback):
    """Hooks that do nothing."""

    def on_train_batch_start(self, *args: Any) -> None:
        """Do nothing."""

    def on_train_batch_end(self, *args: Any) -> None:
        """Do nothing."""

    def on_validation_batch_start(self, *args: Any) -> None:
        """Do nothing."""

    def on_validation_batch_end(self, *args: Any) -> None:
        """Do nothing."""


class SecondEmptyCallback(EmptyBatchCallback):
    """Another of the kind; a trainer wants distinct ones."""


def ours(folder: Path, **settings: Any) -> list[Callback]:
    """Return the two callbacks as `callbacks=baseline_report` has them, but for `settings`."""
    from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback

    place = folder / "ours"
    return [
        PerformanceProfilerCallback(output_dir=place, **settings),
        BaselineReportCallback(output_dir=place, summary=False),
    ]


VARIANTS: dict[str, MakeOptions] = {
    NOTHING: lambda folder: {},
    TWO_EMPTY: lambda folder: {"callbacks": [EmptyBatchCallback(), SecondEmptyCallback()]},
    "SimpleProfiler": lambda folder: {"profiler": "simple"},
    "DeviceStatsMonitor": lambda folder: {"callbacks": [DeviceStatsMonitor(cpu_stats=True)]},
    OURS: lambda folder: {"callbacks": ours(folder)},
    OURS_UNSAMPLED: lambda folder: {"callbacks": ours(folder, sampling_hz=0)},
}
"""What is given to the Trainer beside the usual, by name; made anew for each run."""


def loader(batches: int, workers: int) -> DataLoader[Any]:
    """Return a loader of so many batches."""
    items = TensorDataset(torch.zeros(batches * BATCH_SIZE, FEATURES))
    return DataLoader(items, batch_size=BATCH_SIZE, num_workers=workers)


def trainer_with(options: Options, folder: Path) -> Trainer:
    """Return a trainer of one epoch, unless told, with the usual callbacks and the options' own."""
    usual = [TQDMProgressBar(), ModelCheckpoint(folder / "checkpoints"), ModelSummary()]
    return Trainer(
        accelerator="cpu",
        num_sanity_val_steps=0,
        logger=CSVLogger(str(folder / "logs")),
        default_root_dir=str(folder),
        **{"max_epochs": 1, **options, "callbacks": [*usual, *options.get("callbacks", [])]},
    )


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Let nothing be printed: the progress bar writes as it would, to nowhere."""
    warnings.filterwarnings("ignore")
    for package in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(package).setLevel(logging.ERROR)
    nowhere = io.StringIO()
    with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        yield
