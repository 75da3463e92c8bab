"""A program of LightningCLI that knows nothing of baselines."""

from __future__ import annotations

import torch
from lightning.pytorch import LightningDataModule
from lightning.pytorch.cli import LightningCLI
from torch.utils.data import DataLoader
from typing_extensions import override

from tests.ocr_baseline.unchanged_script.plain_script import Module


class Data(LightningDataModule):
    @override
    def train_dataloader(self) -> DataLoader[torch.Tensor]:
        return DataLoader(torch.ones(24, 4))  # type: ignore[arg-type]  # dataset enough


if __name__ == "__main__":
    LightningCLI(Module, Data)
