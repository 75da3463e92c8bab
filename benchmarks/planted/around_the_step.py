"""Causes around the step: callbacks, loggers, checkpoints, threads; and runs without a cause."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger

from benchmarks.planted.case import CASES, Case, planted
from benchmarks.planted.costly_work import draw_figure
from benchmarks.planted.training import Classifier, Training, loader

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer


class Heavy(Classifier):
    """Carries a table of 60 MB that is no parameter."""

    def __init__(self) -> None:
        """Hold the table."""
        super().__init__()
        self.register_buffer("table", torch.zeros(15_000_000))


@planted("a checkpoint of 60 MB every few steps", "checkpoint")
def _large_checkpoint(is_planted: bool) -> Training:
    folder = tempfile.mkdtemp()
    saves = ModelCheckpoint(folder, every_n_train_steps=10, save_top_k=1, monitor=None)
    return Training(module=Heavy(), callbacks=[saves] if is_planted else [])


class WeightHistograms(Callback):
    """Draws the weights after each batch."""

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *args: Any) -> None:
        """Draw them."""
        weights = np.concatenate([p.detach().flatten().numpy() for p in pl_module.parameters()])
        draw_figure(np.histogram(weights, 10)[0].tolist())


@planted("a callback that draws the weights", "WeightHistograms", "draw_figure")
def _histograms_callback(is_planted: bool) -> Training:
    return Training(callbacks=[WeightHistograms()] if is_planted else [])


class MovingAverage(Callback):
    """Averages weights in Python after each batch."""

    def __init__(self) -> None:
        """Hold no weights yet."""
        self.kept: list[list[float]] = []

    def average(self, pl_module: LightningModule) -> None:
        """Average value by value."""
        values = [value for p in pl_module.parameters() for value in p.flatten().tolist()]
        self.kept = [[0.99 * value for value in values]]

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *args: Any) -> None:
        """Average them."""
        for _ in range(6):
            self.average(pl_module)


@planted("a callback that averages weights in Python", "MovingAverage")
def _averaging_callback(is_planted: bool) -> Training:
    return Training(callbacks=[MovingAverage()] if is_planted else [])


class PreviewCallback(Callback):
    """Draws previews at the end of each validation."""

    def on_validation_epoch_end(self, *args: Any) -> None:
        """Draw them."""
        for figure in range(30):
            draw_figure([float(figure)] * 8)


@planted("a callback that draws after validation", "PreviewCallback", phase="validation")
def _preview_callback(is_planted: bool) -> Training:
    return Training(callbacks=[PreviewCallback()] if is_planted else [])


class SafeLogger(CSVLogger):
    """Forces each row to the disk."""

    def log_metrics(self, metrics: dict[str, Any], step: int | None = None) -> None:
        """Write a journal of the row, and wait for the disk."""
        with Path(self.root_dir, "journal.txt").open("a") as journal:
            for _ in range(12):
                journal.write(f"{step} {dict(metrics)}\n")
                journal.flush()
                os.fsync(journal.fileno())


@planted("a logger that waits for the disk", "SafeLogger", "logg")
def _slow_logger(is_planted: bool) -> Training:
    folder = tempfile.mkdtemp()
    own = SafeLogger(folder) if is_planted else CSVLogger(folder)
    Path(own.root_dir).mkdir(parents=True, exist_ok=True)
    return Training(trainer={"logger": own, "log_every_n_steps": 1})


def _two_threads_each(worker_id: int) -> None:
    torch.set_num_threads(16)


class ResizedImages(torch.utils.data.Dataset[Any]):
    """Resizes with all of torch's threads."""

    def __len__(self) -> int:
        return 320

    def __getitem__(self, index: int) -> Any:
        image = torch.ones(1, 3, 512, 512)
        small = torch.nn.functional.interpolate(image, (64, 64), mode="bicubic", antialias=True)
        for _ in range(10):
            small = torch.nn.functional.avg_pool2d(small, 3, stride=1, padding=1)
        return small[0], index % 10


@planted("more threads in workers than cores", "threads", "thread")
def _oversubscription(is_planted: bool) -> Training:
    train = loader(
        0,
        dataset=ResizedImages(),
        num_workers=4,
        persistent_workers=True,
        worker_init_fn=_two_threads_each if is_planted else None,
    )
    return Training(train=train)


@planted("more threads in the main process than cores", "thread")
def _oversubscription_in_main(is_planted: bool) -> Training:
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(8 * cores if is_planted else cores)
    return Training(train=loader(160), validation=loader(8))


def _clean(is_planted: bool) -> Training:
    return Training(module=Classifier(96))


def _clean_with_worker(is_planted: bool) -> Training:
    train = loader(640, num_workers=1, persistent_workers=True)
    return Training(module=Classifier(96), train=train)


def _clean_without_validation(is_planted: bool) -> Training:
    return Training(module=Classifier(96), trainer={"limit_val_batches": 0})


def _clean_large(is_planted: bool) -> Training:
    return Training(module=Classifier(160), train=loader(320), validation=loader(160))


def _clean_long(is_planted: bool) -> Training:
    return Training(module=Classifier(128), train=loader(480), validation=loader(240), epochs=5)


_CLEAN = {
    "a network and nothing else": _clean,
    "a network, one worker": _clean_with_worker,
    "a network, no validation": _clean_without_validation,
    "a larger network": _clean_large,
    "a network, five epochs": _clean_long,
}

for _name, _build in _CLEAN.items():
    CASES.append(Case(name=f"clean: {_name}", build=_build, expected="nothing"))
    CASES.append(Case(name=f"busy machine: {_name}", build=_build, expected="busy"))
