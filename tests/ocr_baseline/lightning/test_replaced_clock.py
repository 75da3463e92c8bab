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

if sys.argv[2] == "early":
    import ocr_baseline
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


def trained(folder: Path, when_imported: str) -> tuple[str, Baseline]:
    """Return what was warned, and the baseline of a training under a frozen clock."""
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder), when_imported],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert "steps 4" in ended.stdout
    document = (folder / "baseline/baseline.json").read_text()
    return ended.stderr, Baseline.model_validate_json(document)


def test_no_time_is_read_from_a_clock_that_stands_in_the_place_of_pythons(tmp_path: Path) -> None:
    warned, baseline = trained(tmp_path, "late")

    assert "stands in the place of Python's clock" in warned
    assert [phase.total_s for phase in baseline.phases if phase.total_s is not None] == []
    reasons = {entry.metric: entry.detail or "" for entry in baseline.missing}
    assert "import ocr_baseline before" in reasons["source recorder"]
    assert "import ocr_baseline before" in reasons["phases"]  # the report's first sentence


def test_a_package_that_was_imported_before_reads_pythons_clock(tmp_path: Path) -> None:
    warned, baseline = trained(tmp_path, "early")

    assert "Performance measuring stopped" not in warned
    train = baseline.phase("train")
    assert train is not None
    assert train.total_s
