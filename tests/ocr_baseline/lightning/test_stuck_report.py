"""Signals that come while a report is stuck at the end of a fit."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals

import pytest

from ocr_baseline.api import read

PROGRAM = Path(__file__).with_name("stuck_report.py")
AS_USUAL = ["the user's handler", "goes on"]


def ended(
    repository: Path, folder: Path, how: str, *signals: Signals, told: bool = False
) -> tuple[int, list[str], list[str]]:
    """Send signals to a report that is stuck; return its exit code, its lines and our warnings.

    Args:
        told: Whether SIGTERM ends the training too.
    """
    with subprocess.Popen(
        [sys.executable, str(PROGRAM), how, str(folder), *(["told"] if told else [])],
        env=os.environ | {"PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as training:
        assert training.stdout is not None
        assert training.stdout.readline() == "stuck\n"
        # Python looks for signals before a wait begins: one between that look and the wait ends
        # nothing, in any program.
        time.sleep(0.5)
        for number in signals:
            training.send_signal(number)
        # The report would be stuck for ten minutes.
        out, err = training.communicate(timeout=120)
    warnings = [line for line in err.splitlines() if "performance baseline" in line]
    return training.returncode, out.splitlines(), warnings


@pytest.mark.slow
@pytest.mark.parametrize("how", ["waits", "catches"])
def test_sigterm_ends_a_report_that_is_stuck_and_the_records_make_one_later(
    repository: Path, tmp_path: Path, how: str
) -> None:
    code, lines, warnings = ended(repository, tmp_path, how, SIGTERM)

    assert (code, lines) == (0, AS_USUAL)
    (warning,) = warnings
    assert "SIGTERM" in warning
    assert f"ocr-baseline report --run-dir {tmp_path / 'baseline'}" in warning
    recovered = read(tmp_path / "baseline")
    assert (recovered.run.status, [phase.batches for phase in recovered.phases]) == (
        "finished",
        [8],
    )


@pytest.mark.slow
def test_a_sigterm_that_ended_the_training_bounds_its_report_too(
    repository: Path, tmp_path: Path
) -> None:
    code, lines, warnings = ended(repository, tmp_path, "waits", told=True)

    assert (code, lines) == (0, [])  # Lightning ends it by a SystemExit
    (warning,) = warnings
    assert "SIGTERM" in warning
    assert read(tmp_path / "baseline").run.status == "interrupted"


@pytest.mark.slow
def test_ctrl_c_ends_a_report_and_the_training_as_it_does_anywhere(
    repository: Path, tmp_path: Path
) -> None:
    code, said, warnings = ended(repository, tmp_path, "waits", SIGINT)
    lines = tuple(said)

    # Lightning 2.1 takes Ctrl-C as the end that was wanted.
    assert (code, lines) in {(1, ()), (0, ("goes on",))}
    (warning,) = warnings
    assert "Ctrl-C" in warning
