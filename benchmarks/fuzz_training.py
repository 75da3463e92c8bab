"""A training of a few batches with loader workers, whose records the fuzzer begins with."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import Trainer
from torch.utils.data import DataLoader

from benchmarks.faults_run import SmallModule
from ocr_baseline import PerformanceProfilerCallback

if TYPE_CHECKING:
    from pathlib import Path


def train(folder: Path) -> None:
    """Train for two epochs of six batches, with a callable timed by its name."""
    warnings.simplefilter("ignore")
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=2,
        default_root_dir=folder,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[PerformanceProfilerCallback(operations=["torch.nn.functional.linear"])],
    )
    rows: Any = torch.ones(6, 4)  # a tensor serves as a map of its rows
    trainer.fit(SmallModule("none"), DataLoader(rows, num_workers=1), DataLoader(rows[:4]))
