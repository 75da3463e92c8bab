"""A training whose module torch shards over two processes on the CPU (FSDP's second form).

`python sharded_training.py FOLDER with|without`; prints the sum of the weights at the end.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from lightning.pytorch.strategies import ModelParallelStrategy
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.utils.data import DataLoader

from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback

BATCHES = 6


class ShardedModule(LightningModule):
    """Two layers, each of whose weights are spread over the ranks."""

    def configure_model(self) -> None:
        self.layers = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Linear(8, 1))
        assert self.device_mesh is not None
        for part in (*self.layers, self.layers):
            fully_shard(part, mesh=self.device_mesh["data_parallel"])

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        loss: torch.Tensor = self.layers(batch).pow(2).mean()
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self.log("val", self.layers(batch).mean(), sync_dist=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.01)


def main(folder: Path, callbacks: list[Callback]) -> None:
    """Train for an epoch."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    seed_everything(3)
    trainer = Trainer(
        accelerator="cpu",
        devices=2,
        strategy=ModelParallelStrategy(data_parallel_size=2, tensor_parallel_size=1),
        max_epochs=1,
        default_root_dir=folder,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=callbacks,
    )
    rows: Any = torch.arange(16.0 * BATCHES * 2).reshape(-1, 8) / 100  # serves as a map of its rows
    module = ShardedModule()
    trainer.fit(module, DataLoader(rows, batch_size=2), DataLoader(rows, batch_size=2))
    parameters = list(module.parameters())
    assert all(isinstance(parameter, DTensor) for parameter in parameters)
    whole = [parameter.full_tensor().double().sum() for parameter in parameters]  # type: ignore[attr-defined]
    if trainer.is_global_zero:
        print("weights", float(sum(whole)).hex())
    torch.distributed.destroy_process_group()
    # A thread of gloo's that still holds a collective's tensors when the interpreter ends aborts
    # the process, with the callbacks or without (pytorch/pytorch#190489).
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        [PerformanceProfilerCallback(), BaselineReportCallback()] if sys.argv[2] == "with" else [],
    )
