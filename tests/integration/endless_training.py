"""A training that is there to be killed: it notes the instant at which each batch ends.

    python -m tests.integration.endless_training FOLDER

Instants are eight bytes each in `FOLDER/instants`, nanoseconds of the clock that the records use.
"""

from __future__ import annotations

import struct
import sys
import time
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.utils.data import DataLoader

from ocr_baseline import PerformanceProfilerCallback

BATCHES = 1_000_000
STEP_S = 0.005


class SlowModule(LightningModule):
    """A layer whose step takes some milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        time.sleep(STEP_S)
        loss: torch.Tensor = self.layer(batch).sum()
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.0)


class Instants(Callback):
    """Notes when each batch ends."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("wb", buffering=0)

    def on_train_batch_end(self, *_: Any) -> None:
        self.file.write(struct.pack("q", time.perf_counter_ns()))


def main(folder: Path) -> None:
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=1,
        default_root_dir=folder,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[PerformanceProfilerCallback(output_dir=folder), Instants(folder / "instants")],
    )
    rows: Any = torch.ones(BATCHES, 1)  # a tensor serves as a map of its rows
    trainer.fit(SlowModule(), DataLoader(rows))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
