"""A training over processes on the CPU, each of which would name another output folder.

`python distributed_training.py FOLDER CASE DEVICES NODES`; Lightning starts the other processes, or
torchrun all of them.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader

from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback

BATCHES = 12
SLEEP_S = 0.02


class SmallModule(LightningModule):
    """A layer; rank 1, or the one that it names, does what the case says."""

    def __init__(self, case: str) -> None:
        super().__init__()
        self.case = case
        self.layer = torch.nn.Linear(8, 1)

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        if self.global_rank == 1 and self.case == "straggler":
            time.sleep(SLEEP_S)  # the work that this rank alone has; no test waits by it
        if self.global_rank == 1 and self.case == "raise" and batch_idx == 6:
            raise ValueError("rank 1 has had enough")
        if batch_idx == 6 and self.case == f"kill {self.global_rank}":
            os.kill(os.getpid(), signal.SIGKILL)
        loss: torch.Tensor = self.layer(batch).pow(2).mean()
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self.log("val", self.layer(batch).mean(), sync_dist=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.01)


def main(folder: Path, case: str, devices: int, num_nodes: int) -> None:
    """Train for an epoch."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    rank = os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0"))
    trainer = Trainer(
        accelerator="cpu",
        devices=devices,
        num_nodes=num_nodes,
        strategy="ddp",
        max_epochs=1,
        default_root_dir=folder / f"of_rank_{rank}",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[]
        if case == f"without on {rank}"
        else [PerformanceProfilerCallback(), BaselineReportCallback()],
    )
    data: Any = torch.ones(
        2 * devices * num_nodes * BATCHES, 8
    )  # a tensor serves as a map of its rows
    trainer.fit(SmallModule(case), DataLoader(data, batch_size=2), DataLoader(data, batch_size=2))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
