"""A training in the kernel of a notebook, where an event loop is running and no script is."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from ocr_baseline.model.document_file import read_baseline

TRAINING = """
import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader
from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback

class Module(LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    def training_step(self, batch, batch_idx):
        if batch_idx == stop_at:
            raise KeyboardInterrupt
        return self.layer(batch).mean()

    def validation_step(self, batch, batch_idx):
        self.layer(batch)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

def train(folder):
    trainer = Trainer(
        accelerator="cpu", max_epochs=1, default_root_dir=folder, logger=False,
        enable_checkpointing=False, num_sanity_val_steps=0,
        callbacks=[PerformanceProfilerCallback(), BaselineReportCallback()],
    )
    rows = torch.ones(6, 4)
    trainer.fit(Module(), DataLoader(rows, num_workers=1), DataLoader(rows[:2]))
"""


def test_trainings_in_a_notebooks_kernel_are_reported_the_one_that_is_stopped_too(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(repository), *_inherited_path())))
    cells = [
        TRAINING,
        "stop_at = None\ntrain('whole')",
        "stop_at = 3\ntry:\n    train('stopped')\nexcept BaseException as error:\n    print(error)",
        "stop_at = None\ntrain('again')",
    ]
    notebook = nbformat.reads(  # type: ignore[no-untyped-call]  # has no types
        json.dumps(
            {
                "nbformat": 4,
                "nbformat_minor": 4,
                "metadata": {},
                "cells": [
                    {
                        "cell_type": "code",
                        "source": cell,
                        "metadata": {},
                        "outputs": [],
                        "execution_count": None,
                    }
                    for cell in cells
                ],
            }
        ),
        as_version=4,
    )
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()

    reports = {
        name: read_baseline(tmp_path / name / "baseline" / "baseline.json")
        for name in ("whole", "stopped", "again")
    }
    assert {name: report.run.status for name, report in reports.items()} == {
        "whole": "finished",
        "stopped": "interrupted",
        "again": "finished",
    }
    batches = [[phase.batches for phase in report.phases] for report in reports.values()]
    assert batches == [[6, 2], [3], [6, 2]], "the fourth batch was stopped"


def _inherited_path() -> list[str]:
    return [path for path in (os.environ.get("PYTHONPATH"),) if path]
