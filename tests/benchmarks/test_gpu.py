"""`make gpu` where there is no card: what it says, and its parts on a simulated device."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import gpu
from benchmarks.gpu_part import PARTS
from benchmarks.gpu_result import Result
from benchmarks.tables import Goal

REPOSITORY = Path(__file__).parents[2]
WHERE = {"device": "none"}


def test_all_parts_together_take_eight_minutes_at_most() -> None:
    assert sum(gpu.BUDGETS_S.values()) <= 8 * 60
    assert set(gpu.BUDGETS_S) == set(gpu.TITLES) == set(PARTS)


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_device_one_line_says_so_and_nothing_is_written(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", "--markdown", str(tmp_path / "gpu.md")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.splitlines() == [gpu.NO_DEVICE]
    assert list(tmp_path.iterdir()) == []


def test_a_part_whose_time_is_over_is_ended_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(gpu.BUDGETS_S, "truth", 0.01)
    outcome = gpu.run("truth", "dry")
    assert outcome.verdict == "FAILED"
    assert (outcome.error or "").startswith("stopped after its 0.01 s")


def test_the_report_has_every_part_those_that_failed_too() -> None:
    result = Result(
        header=["line", "ms"],
        rows=[["a|b", "1"]],
        goals=[Goal("line, share", 0.01, 0.02), Goal("clock, share", 0.3, 0.02)],
        notes=["A note."],
    )
    outcomes = [
        gpu.Outcome(part="truth", duration_s=3.0, result=result),
        gpu.Outcome(part="ranks", duration_s=5.0, result=None, error="ended with 1\ntraceback"),
    ]
    text = gpu.markdown(outcomes, WHERE)
    assert "| truth | met | line, share | 0.01 | 0.02 | 3 |" in text
    assert "| truth | MISSED | clock, share | 0.3 | 0.02 | 3 |" in text
    assert "| ranks | FAILED | ended with 1 | | | 5 |" in text
    assert "| a/b | 1 |" in text
    assert [one.verdict for one in outcomes] == ["MISSED", "FAILED"]


def test_a_result_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    result = Result(header=["a"], rows=[["1"]], goals=[Goal("g", 1.0, 2.0)], notes=["n"])
    result.write(tmp_path / "result.json")
    assert Result.read(tmp_path / "result.json") == result


@pytest.mark.slow
@pytest.mark.parametrize("part", ["truth", "synchronizations"])
def test_a_part_runs_on_a_simulated_device(part: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu_part", part, "dry", str(tmp_path / "out.json")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["rows"]
    assert found["goals"]
