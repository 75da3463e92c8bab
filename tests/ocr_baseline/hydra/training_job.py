"""A Hydra job that trains with the two callbacks; `end` says how it ends before its first batch."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from lightning.pytorch import Callback
from omegaconf import DictConfig

from tests.ocr_baseline.lightning.tiny_runs import TinyModule, loader, tiny_trainer


class Ends(Callback):
    """Ends the process as the training begins."""

    def __init__(self, end: str) -> None:
        self.end = end

    def on_train_start(self, *args: Any) -> None:
        """End it."""
        if self.end == "raise":
            raise ValueError("a typing error")
        if self.end == "exit":
            sys.exit(3)
        if self.end == "kill":
            os.kill(os.getpid(), signal.SIGKILL)


@hydra.main(version_base="1.3", config_path=None, config_name="app")
def main(cfg: DictConfig) -> None:
    """Train a tiny module."""
    from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback

    callbacks = [Ends(cfg.end), PerformanceProfilerCallback(), BaselineReportCallback()]
    output = Path(HydraConfig.get().runtime.output_dir)
    tiny_trainer(output, callbacks=callbacks).fit(TinyModule(), loader(), loader(6))


if __name__ == "__main__":
    main()
