"""A report that can't be made for want of files or of the package itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os, sys
from lightning.pytorch import Callback
from tests.ocr_baseline.lightning.tiny_runs import TinyModule
from lightning.pytorch import Trainer
import torch
from torch.utils.data import DataLoader
from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback

taken = []

class Takes(Callback):
    def on_train_end(self, trainer, module):
        if sys.argv[1] == "files":
            try:
                while True:
                    taken.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                pass
        else:
            sys.meta_path.insert(0, Refuses())

class Refuses:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("ocr_baseline."):
            raise ModuleNotFoundError(name)

trainer = Trainer(
    max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False,
    enable_progress_bar=False, enable_model_summary=False,
    callbacks=[Takes(), PerformanceProfilerCallback(), BaselineReportCallback()],
)
trainer.fit(TinyModule(), DataLoader(torch.ones(8, 4)))
for number in taken:
    os.close(number)
print("goes on")
"""


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["files", "package"])
def test_the_training_goes_on_where_nothing_can_be_opened_or_imported_at_its_end(
    repository: Path, tmp_path: Path, missing: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, missing],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stdout.splitlines()[-1:]) == (0, ["goes on"]), ended.stderr
