"""A training whose test has clocks of its own in the place of Python's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ocr_baseline.model.document import Baseline

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import json, sys, time, uuid
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.utils.data import DataLoader

class Net(LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
    def training_step(self, batch, batch_idx):
        return self.layer(batch).mean()
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)

folder, which, when_imported = sys.argv[1:]
if when_imported == "early":
    import ocr_baseline
CLOCKS = {"monotonic", "perf_counter", "perf_counter_ns", "process_time_ns", "sleep"}
kept = {name: getattr(time, name) for name in CLOCKS}
counts = dict.fromkeys([*CLOCKS, "uuid4"], 0)
def stopped(name, value):
    def clock(*args):
        counts[name] += 1
        return value
    return clock
for name in CLOCKS:
    setattr(time, name, stopped(name, 1_000))
kept_uuid4, uuid.uuid4 = uuid.uuid4, stopped("uuid4", uuid.UUID(int=7))
if which == "ours":
    from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback
    callbacks = [PerformanceProfilerCallback(), BaselineReportCallback()]
else:
    callbacks = [Callback(), Callback()]
trainer = Trainer(
    max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False,
    enable_progress_bar=False, default_root_dir=folder, callbacks=callbacks,
)
trainer.fit(Net(), DataLoader(torch.randn(8, 4), batch_size=2))
for name, clock in kept.items():
    setattr(time, name, clock)
uuid.uuid4 = kept_uuid4
print(json.dumps(counts))
"""


def trained(folder: Path, which: str, when_imported: str) -> tuple[dict[str, int], str]:
    """Return how often each clock was asked in a training under stopped clocks, and its stderr."""
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder), which, when_imported],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return json.loads(ended.stdout.splitlines()[-1]), ended.stderr


@pytest.mark.parametrize("when_imported", ["early", "late"])
def test_a_tests_clocks_are_asked_by_the_training_alone(tmp_path: Path, when_imported: str) -> None:
    with_empty, _ = trained(tmp_path / "empty", "empty", when_imported)
    with_ours, warned = trained(tmp_path / "ours", "ours", when_imported)

    assert with_ours == with_empty
    assert "Performance measuring stopped" not in warned
    document = (tmp_path / "ours/baseline/baseline.json").read_text()
    train = Baseline.model_validate_json(document).phase("train")
    assert train is not None
    assert train.total_s
