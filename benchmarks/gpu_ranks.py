"""A training of two processes on one card: `python -m benchmarks.gpu_ranks gpu gloo FOLDER`.

Lightning gives each process a card of its own; here both get the first one.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.strategies import DDPStrategy

from benchmarks.gpu_modes import Mode, Network, batches_of
from benchmarks.gpu_training import quieten
from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback


def main() -> int:
    """Train; Lightning starts the second process by the same command."""
    accelerator, backend, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    quieten()
    device = torch.device("cuda", 0) if accelerator == "gpu" else torch.device("cpu")
    strategy = DDPStrategy(parallel_devices=[device, device], process_group_backend=backend)
    trainer = Trainer(
        accelerator=accelerator,
        strategy=strategy,
        devices=2 if accelerator == "cpu" else "auto",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        callbacks=[
            PerformanceProfilerCallback(output_dir=folder),
            BaselineReportCallback(output_dir=folder, summary=False),
        ],
    )
    trainer.fit(Network(), batches_of(60, Mode()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
