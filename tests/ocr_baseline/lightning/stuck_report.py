"""A tiny training whose report gets stuck at its end.

`python stuck_report.py HOW FOLDER [told]`; with `told` SIGTERM is what ends the training.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader
from typing_extensions import override

from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback

LONG_S = 600.0


class Module(LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    @override
    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        return self.layer(batch).sum()  # type: ignore[no-any-return]  # a module's call is untyped

    @override
    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


class SlowLogger(CSVLogger):
    """A logger that takes its time to say which run it is, once the training is over."""

    how = ""
    is_over = False

    @property
    @override
    def version(self) -> int | str:
        if self.is_over:
            say("stuck")
            getattr(self, self.how)()
        return 0

    def waits(self) -> None:
        time.sleep(LONG_S)

    def catches(self) -> None:
        try:
            time.sleep(LONG_S)
        except BaseException:  # noqa: BLE001 - the worst that a client may do
            self.waits()


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(how: str, folder: Path, *, is_told: bool) -> None:
    logger = SlowLogger(folder)
    SlowLogger.how = how

    class Ends(Module):
        @override
        def on_train_end(self) -> None:
            SlowLogger.is_over = True

        @override
        def on_train_start(self) -> None:
            if is_told:
                SlowLogger.is_over = True
                os.kill(os.getpid(), signal.SIGTERM)

    if not is_told:  # else Lightning's own handler ends the training
        signal.signal(signal.SIGTERM, lambda number, frame: say("the user's handler"))
    module = Ends()
    trainer = Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        max_epochs=1,
        enable_checkpointing=False,
        logger=logger,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[PerformanceProfilerCallback(), BaselineReportCallback(summary=False)],
    )
    trainer.fit(module, DataLoader(torch.ones(8, 4)))  # type: ignore[arg-type]  # dataset enough
    say("goes on")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), is_told="told" in sys.argv[3:])
