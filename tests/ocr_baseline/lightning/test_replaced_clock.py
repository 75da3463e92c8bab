"""A clock that stands in the place of Python's as the package is imported: nothing is timed."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from ocr_baseline.model.document import Baseline

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import sys, time
import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader

class Net(LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
    def training_step(self, batch, batch_idx):
        return self.layer(batch).mean()
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)

pythons = time.perf_counter_ns
time.perf_counter_ns = lambda: 1_000_000_000  # as a test's frozen clock does
from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback
callbacks = [PerformanceProfilerCallback(), BaselineReportCallback()]
trainer = Trainer(
    max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False,
    enable_progress_bar=False, default_root_dir=sys.argv[1], callbacks=callbacks,
)
trainer.fit(Net(), DataLoader(torch.randn(8, 4), batch_size=2))
time.perf_counter_ns = pythons
print("steps", trainer.global_step)
"""


def test_no_time_is_read_from_a_clock_that_stands_in_the_place_of_pythons(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    assert "steps 4" in ended.stdout
    assert "stands in the place of Python's clock" in ended.stderr
    baseline = Baseline.model_validate_json((tmp_path / "baseline/baseline.json").read_text())
    assert [phase.total_s for phase in baseline.phases if phase.total_s is not None] == []
    reason = next(entry for entry in baseline.missing if entry.metric == "source recorder")
    assert "import ocr_baseline before" in (reason.detail or "")
