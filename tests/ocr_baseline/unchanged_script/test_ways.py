"""`ocr-baseline run` of every way in which a training is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ocr_baseline.api import read

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
PACKAGE = "tests.ocr_baseline.unchanged_script"
TRAIN = [("train", 48)]


def run(
    repository: Path, folder: Path, *command: str, status: int = 0
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "ocr_baseline.cli", "run", "--", *command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=200,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done


def phases(folder: Path) -> list[tuple[str, int | None]]:
    return [(phase.name, phase.batches) for phase in read(folder).phases]


def test_a_module(repository: Path, tmp_path: Path) -> None:
    run(repository, tmp_path, sys.executable, "-m", f"{PACKAGE}.plain_script", "plain", status=3)
    assert phases(tmp_path / "baseline") == TRAIN


def test_a_program_of_lightning_cli(repository: Path, tmp_path: Path) -> None:
    settings = ("--trainer.max_epochs=2", "--trainer.accelerator=cpu", "--trainer.logger=false")
    run(repository, tmp_path, sys.executable, str(HERE / "cli_script.py"), "fit", *settings)
    assert phases(tmp_path / "baseline") == TRAIN


def test_a_hydra_application(repository: Path, tmp_path: Path) -> None:
    run(repository, tmp_path, sys.executable, str(HERE / "hydra_application.py"), "number=1")
    assert phases(tmp_path / "baseline") == TRAIN


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_each_job_of_a_hydra_sweep_has_a_baseline_of_its_own(
    launcher: str, repository: Path, tmp_path: Path
) -> None:
    application = (sys.executable, str(HERE / "hydra_application.py"))
    sweep = ("--multirun", "number=1,2", f"hydra/launcher={launcher}")
    run(repository, tmp_path, *application, *sweep)
    assert sorted(path.name for path in (tmp_path / "baseline").iterdir()) == ["0", "1"]
    assert [phases(tmp_path / "baseline" / number) for number in "01"] == [TRAIN, TRAIN]


def test_two_processes_of_torchrun_have_one_baseline(repository: Path, tmp_path: Path) -> None:
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    run(repository, tmp_path, *torchrun, str(HERE / "plain_script.py"), "ranks")
    found = read(tmp_path / "baseline")
    assert [rank.rank for rank in found.ranks] == [0, 1]
    assert [(phase.name, phase.batches) for phase in found.phases] == [("train", 24)]


def test_a_notebook(repository: Path, tmp_path: Path) -> None:
    cell = f"from {PACKAGE} import plain_script\nimport sys\nsys.argv = ['', 'plain']\n"
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "id": "training",
                "metadata": {},
                "outputs": [],
                "execution_count": None,
                "source": f"{cell}plain_script.main('plain')",
            }
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (tmp_path / "train.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    execute = "from nbclient.cli import main; main()"  # jupyter execute, without a script on PATH
    run(repository, tmp_path, sys.executable, "-c", execute, "train.ipynb")
    assert phases(tmp_path / "baseline") == TRAIN
