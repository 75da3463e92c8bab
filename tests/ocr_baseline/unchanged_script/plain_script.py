"""A training that knows nothing of baselines: `python plain_script.py HOW [FOLDER]`."""

from __future__ import annotations

import sys
import time

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.utils.data import DataLoader
from typing_extensions import override

from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback


class Module(LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    @override
    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        if sys.argv[1] == "waits" and batch_idx == 20:
            print("training", flush=True)
            time.sleep(600)
        return self.layer(batch).sum()  # type: ignore[no-any-return]  # a module's call is untyped

    @override
    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def main(how: str) -> None:
    if how == "without":
        return
    folder = sys.argv[2] if len(sys.argv) > 2 else None
    own: list[Callback] = [
        PerformanceProfilerCallback(output_dir=folder),
        BaselineReportCallback(output_dir=folder),
    ]
    trainer = Trainer(
        max_epochs=2,
        accelerator="cpu",
        devices=2 if how == "ranks" else 1,
        strategy="ddp" if how == "ranks" else "auto",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=own if how == "own" else None,
    )
    trainer.fit(Module(), DataLoader(torch.ones(24, 4)))  # type: ignore[arg-type]  # dataset enough


if __name__ == "__main__":
    main(sys.argv[1])
    sys.exit(0 if sys.argv[1] in ("own", "ranks") else 3)
