"""A fit, then a test, in processes of their own: `python spawned_stages.py FOLDER STRATEGY WHOSE`.

The callbacks are the trainer's, or made by the module in each process.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.utils.data import DataLoader

from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback, section


class Small(LightningModule):
    """A layer with a section in each step."""

    def __init__(self, makes: Callable[[], list[Callback]] = list) -> None:
        super().__init__()
        self.makes = makes
        self.layer = torch.nn.Linear(8, 1)

    def configure_callbacks(self) -> list[Callback]:
        return self.makes()

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        with section("step"):
            loss: torch.Tensor = self.layer(batch).pow(2).mean()
        return loss

    def test_step(self, batch: Any, batch_idx: int) -> None:
        with section("step"):
            self.layer(batch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.01)


def ours() -> list[Callback]:
    """Return new callbacks."""
    return [PerformanceProfilerCallback(), BaselineReportCallback()]


def main(folder: Path, strategy: str, whose: str) -> None:
    """Fit and test; twelve batches for each of two ranks, each time."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    trainer = Trainer(
        accelerator="cpu",
        devices=2,
        strategy=strategy,
        max_epochs=1,
        default_root_dir=folder,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=ours() if whose == "trainer" else [],
    )
    data: Any = torch.ones(48, 8)  # a tensor serves as a map of its rows
    loader = DataLoader(data, batch_size=2)
    makes = list if whose == "trainer" else ours
    trainer.fit(Small(makes), loader)
    trainer.test(Small(makes), loader, verbose=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
