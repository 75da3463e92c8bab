"""What is told of the machine is what the run may use of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ocr_baseline.measure import environment
from ocr_baseline.measure.container_limits import ContainerLimits


def test_the_identity_holds_what_the_container_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = ContainerLimits(cpus=0.5, memory_bytes=2**20)
    monkeypatch.setattr(environment, "own_limits", lambda: limits)

    identity = environment.identity()

    assert (identity["cpu_count"], identity["cpu_quota"]) == (1, 0.5)
    assert identity["memory_bytes"] == 2**20


@pytest.mark.parametrize("cpus", [None, 1e6])
def test_a_quota_that_takes_nothing_away_is_not_part_of_the_identity(
    monkeypatch: pytest.MonkeyPatch, cpus: float | None
) -> None:
    monkeypatch.setattr(environment, "own_limits", lambda: ContainerLimits(cpus=cpus))

    assert "cpu_quota" not in environment.identity()


def test_the_machines_own_processors_are_told_and_not_compared(tmp_path: Path) -> None:
    assert environment.volatile(tmp_path)["machine_cpu_count"] == os.cpu_count()
    assert "machine_cpu_count" not in environment.identity()


@pytest.mark.slow
def test_a_warning_that_was_shown_once_is_not_shown_again(repository: Path) -> None:
    code = (
        "import warnings; from pathlib import Path; from ocr_baseline.measure import environment\n"
        "for _ in range(2):\n"
        "    warnings.warn('of the program')\n"
        "    environment.volatile(Path())\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True
    ).stderr
    assert shown.count("of the program") == 1
