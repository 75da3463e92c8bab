"""A training with one loader or interval that costs time, for `benchmarks/prove.py`.

python benchmarks/prove_training.py CASE
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader, Dataset, default_collate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, kw_only=True)
class Training:
    """What a training is made of; times are seconds.

    `make` returns a sample, `step_s` is how long a step waits, as for an accelerator, `numbers` how
    many are in a checkpoint.
    """

    make: Callable[[int], torch.Tensor]
    step_s: float = 0.005
    batches: int = 100
    batch_size: int = 8
    epochs: int = 3
    validation_samples: int = 0
    loader: dict[str, Any] = field(default_factory=dict)
    checkpoint_every: int = 0
    numbers: int = 0


class Samples(Dataset[torch.Tensor]):
    """So many samples, each made when it is asked for."""

    def __init__(self, count: int, make: Callable[[int], torch.Tensor]) -> None:
        """Make none yet."""
        self._count = count
        self._make = make

    def __len__(self) -> int:
        """Return how many there are."""
        return self._count

    def __getitem__(self, index: int) -> torch.Tensor:
        """Make one."""
        return self._make(index)


class Module(LightningModule):
    """Waits in each step, as a program does whose accelerator computes."""

    def __init__(self, training: Training) -> None:
        """Hold one weight, and numbers that checkpoints hold too."""
        super().__init__()
        self._training = training
        self.weight = torch.nn.Parameter(torch.zeros(10))
        self.register_buffer("table", torch.zeros(training.numbers))

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        """Wait."""
        time.sleep(self._training.step_s)
        return self.weight.sum()

    def validation_step(self, batch: torch.Tensor, batch_idx: int) -> None:
        """Wait, whatever the size of the batch."""
        time.sleep(self._training.step_s)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return plain descent."""
        return torch.optim.SGD(self.parameters(), lr=0.1)


def _compute(seconds: float) -> Callable[[int], torch.Tensor]:
    """Return what makes a sample by computing in Python for so much processor time."""

    def make(index: int) -> torch.Tensor:
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            np.sqrt(np.arange(200.0)).sum()
        return torch.full((16,), float(index))

    return make


def _sleep(seconds: float) -> Callable[[int], torch.Tensor]:
    """Return what makes a sample by waiting, as for a disk or a network."""

    def make(index: int) -> torch.Tensor:
        time.sleep(seconds)
        return torch.full((16,), float(index))

    return make


def _zeros(*shape: int) -> Callable[[int], torch.Tensor]:
    return lambda index: torch.zeros(shape)


def _multiplied(index: int) -> torch.Tensor:
    """Make a sample with matrix products, in as many threads as torch has here."""
    square = torch.ones(160, 160)
    for _ in range(4):
        square = square @ square / 160
    return square[0, :16]


def _slow_collate(samples: Sequence[torch.Tensor]) -> Any:
    _compute(0.016)(0)
    return default_collate(list(samples))


def _slow_start(worker: int) -> None:
    time.sleep(0.8)


def _many_threads(worker: int) -> None:
    torch.set_num_threads(8)


CASES: dict[str, Training] = {
    "samples that compute": Training(make=_compute(0.002), step_s=0.012),
    "samples that wait": Training(make=_sleep(0.004), loader={"num_workers": 1}),
    "tiny samples": Training(
        make=_zeros(16), step_s=0.001, batches=300, epochs=5, loader={"num_workers": 2}
    ),
    "a slow collate": Training(make=_zeros(16), step_s=0.012, loader={"collate_fn": _slow_collate}),
    "a slow start of workers": Training(
        make=_compute(0.0005),
        batches=40,
        epochs=6,
        loader={"num_workers": 2, "worker_init_fn": _slow_start},
    ),
    "large samples": Training(make=_zeros(3, 512, 512), batches=80, loader={"num_workers": 1}),
    "validation in batches of one": Training(
        make=_zeros(16), batches=60, batch_size=16, validation_samples=400
    ),
    "too many threads": Training(
        make=_multiplied,
        loader={"num_workers": 2, "worker_init_fn": _many_threads},
    ),
    "frequent checkpoints": Training(
        make=_zeros(16), step_s=0.01, checkpoint_every=5, numbers=2_000_000
    ),
    "no cause": Training(make=_zeros(16), step_s=0.02, loader={"num_workers": 1}),
}


def train(name: str, callbacks: Sequence[Callback] = ()) -> None:
    """Train, with callbacks beside the training's own."""
    training = CASES[name]
    samples = Samples(training.batches * training.batch_size, training.make)
    loader = DataLoader(samples, batch_size=training.batch_size, **training.loader)
    validation = DataLoader(Samples(training.validation_samples, training.make), batch_size=1)
    every = training.checkpoint_every
    saves = [ModelCheckpoint(every_n_train_steps=every, save_top_k=1)] if every else []
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=training.epochs,
        logger=False,
        enable_checkpointing=bool(every),
        callbacks=[*saves, *callbacks],
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(Module(training), loader, validation if len(validation) else None)


if __name__ == "__main__":
    train(sys.argv[1])
