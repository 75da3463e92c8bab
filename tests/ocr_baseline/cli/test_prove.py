"""`ocr-baseline prove`: what would be tried, and a real script that is tried and left as it is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ocr_baseline.api import read
from ocr_baseline.cli import main
from ocr_baseline.reports.run.json import render_json
from tests.ocr_baseline.examples import full_baseline
from tests.ocr_baseline.recorded_runs import record

SCRIPT = Path(__file__).with_name("proved_script.py")


def test_a_run_without_a_cause_has_nothing_to_try(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = record(tmp_path / "run", "a-run", batches=20)
    assert main(["prove", "--list", str(folder)]) == 0
    assert capsys.readouterr().out.startswith("Nothing to try")
    assert main(["prove", "--list", "--json", str(folder), "--", "python", "train.py"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["candidates"] == []
    assert told["command"] == ["python", "train.py"]


def test_a_document_alone_can_not_be_proved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(render_json(full_baseline()), encoding="utf-8")
    assert main(["prove", str(path)]) == 2
    assert "needs the profiler's records" in capsys.readouterr().err


def program(repository: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ocr_baseline.cli", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def files_in(folder: Path) -> dict[str, float]:
    return {str(path): path.stat().st_mtime for path in folder.rglob("*")}


@pytest.mark.slow
@pytest.mark.timeout(900)  # eight trainings, each in a process of its own
def test_a_script_is_tried_with_settings_from_outside_and_its_files_stay(
    repository: Path, tmp_path: Path
) -> None:
    script = [sys.executable, str(SCRIPT), str(tmp_path / "own")]
    done = program(repository, tmp_path, "run", "--", *script)
    assert done.returncode == 0, done.stderr
    before = files_in(tmp_path)
    arguments = ["--turns", "2", "--wait", "0", "--seconds", "2", "--json", "--output-dir"]
    trials = tmp_path.parent / f"{tmp_path.name}-trials"
    done = program(repository, tmp_path.parent, "prove", str(tmp_path), *arguments, str(trials))
    assert done.returncode == 0, done.stderr
    assert files_in(tmp_path) == before
    (most,) = map(int, re.findall(r"(\d+) trials at most, each of about 2 s", done.stderr))
    assert most >= len(json.loads((trials / "round-1" / "trials.json").read_text())["runs"])
    _check_proof(json.loads(done.stdout))
    _check_trials(trials)


def _check_proof(proof: dict[str, Any]) -> None:
    tried = {one["settings"]["train.num_workers"]: one for one in proof["outcomes"]}
    assert tried[2]["why_not_measured"] is None
    assert tried[2]["predicted_saving_s"]["value"] > 0
    assert tried[2]["measured_saving_s"] is not None
    assert proof["limits"]["max_epochs"] == 2
    assert 16 <= proof["limits"]["train_batches"] < 40
    assert proof["run_s"] > 80 * 0.06


def _check_trials(folder: Path) -> None:
    """Each trial ran with its own number of workers, and for so many batches alone."""
    for trial in folder.glob("round-1/train.num_workers=2*"):
        found = read(trial / "baseline")
        assert [workers.count for workers in found.workers] == [2]
        assert found.phases[0].batches is not None
        assert found.phases[0].batches < 80
        assert list((trial / "output").rglob("*.ckpt"))


@pytest.mark.slow
def test_a_command_that_fails_is_told_and_ends_with_2(repository: Path, tmp_path: Path) -> None:
    script = [sys.executable, str(SCRIPT), str(tmp_path / "own")]
    assert program(repository, tmp_path, "run", "--", *script).returncode == 0
    done = program(
        repository, tmp_path, "prove", ".", "--wait", "0", "--", sys.executable, "no_such_script.py"
    )
    assert done.returncode == 2
    assert "exited with status 2" in done.stderr
    assert "no_such_script.py" in done.stderr
