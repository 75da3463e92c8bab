"""The benchmark of answers, on two of its trainings: what the report names first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "named"),
    [
        ("figures drawn in the step", "draw_figure (costly_work.py:"),
        ("one slow transform of five, in two workers", "salt_and_pepper (costly_work.py:"),
    ],
)
def test_the_first_cause_is_the_planted_function_though_nothing_was_named(
    case: str, named: str
) -> None:
    run = subprocess.run(
        [sys.executable, "benchmarks/answers.py", "--only", case],
        cwd=REPOSITORY,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    row = next((line for line in run.stdout.splitlines() if line.startswith(f"| {case} ")), "")
    assert named in row, run.stdout + run.stderr
    assert "| yes |" in " ".join(row.split())
