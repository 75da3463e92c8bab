"""A training whose samples wait and whose loader has no workers, and that writes a checkpoint."""

from __future__ import annotations

import sys
import time

import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader, Dataset
from typing_extensions import override


class Samples(Dataset[torch.Tensor]):
    def __len__(self) -> int:
        return 160

    @override
    def __getitem__(self, index: int) -> torch.Tensor:
        time.sleep(0.01)
        return torch.ones(4)


class Module(LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    @override
    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        time.sleep(0.02)
        return self.layer(batch).sum()  # type: ignore[no-any-return]  # a module's call is untyped

    @override
    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


if __name__ == "__main__":
    trainer = Trainer(
        max_epochs=2,
        accelerator="cpu",
        default_root_dir=sys.argv[1],
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Module(), DataLoader(Samples(), batch_size=4))
