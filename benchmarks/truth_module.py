"""The parts of a training, each with a known cost, for `truth.py`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.loggers.logger import Logger
from torch.optim import SGD
from torchmetrics import Metric

from benchmarks.truth_costs import STOPWATCH, TimedLoader, be_busy, paint, sleep
from ocr_baseline.measure.sections import section
from ocr_baseline.vocabulary import Line

INNER = "inner"

TRANSFER_MS = 2.0
TRAIN_STEP_MS = 6.0
VALIDATION_STEP_MS = 4.0
INNER_MS = 3.0
BACKWARD_MS = 5.0
OPTIMIZER_MS = 3.0
METRIC_UPDATE_MS = 2.0
METRIC_COMPUTE_MS = 40.0
LOGGER_MS = 2.0
CALLBACK_MS = 2.0
EPOCH_END_MS = 30.0
CHECKPOINT_MS = 50.0


class SlowBackward(torch.autograd.Function):
    """The identity, with a cost on the way back."""

    @staticmethod
    def forward(_context: Any, values: torch.Tensor) -> torch.Tensor:
        """Return the values."""
        return values.clone()

    @staticmethod
    def backward(_context: Any, gradient: torch.Tensor) -> torch.Tensor:
        """Return the gradient, late."""
        with STOPWATCH.line(Line.BACKWARD.value):
            sleep(BACKWARD_MS)
        return gradient


class SlowSGD(SGD):
    """An optimizer whose step has a cost beside the closure's."""

    def step(self, closure: Any = None) -> Any:
        """Take a step."""
        loss = super().step(closure)
        with STOPWATCH.line(Line.OPTIMIZER.value):
            sleep(OPTIMIZER_MS)
        return loss


class SlowMetric(Metric):
    """A mean whose update and compute have costs."""

    total: torch.Tensor
    full_state_update = False

    def __init__(self) -> None:
        """Begin at 0."""
        super().__init__()
        self.add_state("total", torch.zeros(()), dist_reduce_fx="sum")

    def update(self, values: torch.Tensor) -> None:
        """Add values."""
        with STOPWATCH.line(Line.METRICS.value):
            sleep(METRIC_UPDATE_MS)
            self.total += values.sum()

    def compute(self) -> torch.Tensor:
        """Return the sum."""
        with STOPWATCH.line(Line.METRICS.value):
            sleep(METRIC_COMPUTE_MS)
            return self.total


class CostlyModule(LightningModule):
    """One parameter; a cost in every part of a step and at the epoch's end."""

    def __init__(self, *, is_manual: bool) -> None:
        """Optimize by hand or let Lightning do it."""
        super().__init__()
        self.automatic_optimization = not is_manual
        self.weight = torch.nn.Parameter(torch.ones(4))
        self.score = SlowMetric()

    def transfer_batch_to_device(
        self, batch: torch.Tensor, device: torch.device, dataloader_idx: int
    ) -> torch.Tensor:
        """Return the batch, late."""
        for loader in _loaders(self.trainer):
            loader.has_handed_over = True
        with STOPWATCH.line(Line.TRANSFER.value):
            sleep(TRANSFER_MS)
            return batch.to(device)

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        """Work, and step by hand where that is wanted."""
        with STOPWATCH.line(Line.FORWARD.value):
            loss = self._work(batch, TRAIN_STEP_MS)
            with STOPWATCH.line(Line.LOGGING.value):
                self.log("loss", loss)
            if not self.automatic_optimization:
                optimizer = self.optimizers()
                optimizer.zero_grad()  # type: ignore[union-attr]  # there is one optimizer
                self.manual_backward(loss)
                optimizer.step()  # type: ignore[union-attr]  # as above
            return loss

    def validation_step(self, batch: torch.Tensor, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Work."""
        with STOPWATCH.line(Line.FORWARD.value):
            loss = self._work(batch, VALIDATION_STEP_MS)
            with STOPWATCH.line(Line.LOGGING.value):
                self.log("val_loss", loss)

    def _work(self, batch: torch.Tensor, step_ms: float) -> torch.Tensor:
        sleep(step_ms)
        with section(INNER), STOPWATCH.line(INNER):
            be_busy(INNER_MS)
        paint()
        self.score.update(batch)
        loss: torch.Tensor = SlowBackward.apply(self.weight * batch).mean()
        return loss

    def backward(self, loss: torch.Tensor, *args: Any, **kwargs: Any) -> None:
        """Go back."""
        with STOPWATCH.line(Line.BACKWARD.value):
            super().backward(loss, *args, **kwargs)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Step; the closure's forward and backward have stopwatches of their own."""
        with STOPWATCH.line(Line.OPTIMIZER.value):
            super().optimizer_step(*args, **kwargs)

    def on_train_epoch_end(self) -> None:
        """Compute the metric; the callbacks' hooks of this name have run before."""
        self._end_epoch()

    def on_validation_epoch_end(self) -> None:
        """Compute the metric; the callbacks' hooks of this name have run before."""
        self._end_epoch()

    def _end_epoch(self) -> None:
        with STOPWATCH.line(Line.MODULE_HOOKS.value):
            sleep(EPOCH_END_MS)
            self.score.compute()
            self.score.reset()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the costly optimizer."""
        return SlowSGD(self.parameters(), lr=0.01)


class SlowLogger(Logger):
    """A logger that takes its time; for the profiler's own metrics that is the profiler's time."""

    name = "slow"
    version = 0

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Take the metrics, slowly."""
        is_profilers_own = any(name.startswith("performance/") for name in metrics)
        line = Line.PROFILER if is_profilers_own else Line.LOGGING
        with STOPWATCH.line(line.value):
            sleep(LOGGER_MS)

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Take nothing."""


class SlowCheckpoint(Checkpoint):
    """Saves at the end of each epoch of training, and looks busy at each end of validation."""

    def __init__(self, folder: Path) -> None:
        """Save into a folder."""
        self.folder = folder

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save."""
        with STOPWATCH.line(Line.CHECKPOINT.value):
            sleep(CHECKPOINT_MS)
            trainer.save_checkpoint(self.folder / "last.ckpt")

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look for the best."""
        with STOPWATCH.line(Line.CHECKPOINT.value):
            sleep(CHECKPOINT_MS)


class SlowCallback(Callback):
    """Hooks of batches and epochs that have a cost."""

    def on_train_batch_end(self, *args: Any) -> None:
        """Take time."""
        self._take(CALLBACK_MS)

    def on_validation_batch_start(self, *args: Any) -> None:
        """Take time."""
        self._take(CALLBACK_MS)

    def on_train_epoch_end(self, *args: Any) -> None:
        """Take time."""
        self._take(EPOCH_END_MS)

    def on_validation_epoch_end(self, *args: Any) -> None:
        """Take time."""
        self._take(EPOCH_END_MS)

    def _take(self, milliseconds: float) -> None:
        with STOPWATCH.line(Line.CALLBACKS.value):
            sleep(milliseconds)


def _loaders(trainer: Trainer) -> list[TimedLoader]:
    """Return the loaders of the stage that is running."""
    found = trainer.train_dataloader if trainer.training else trainer.val_dataloaders
    loaders = found if isinstance(found, list) else [found]
    return [loader for loader in loaders if isinstance(loader, TimedLoader)]
