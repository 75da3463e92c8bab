"""The fault benchmark at its smallest: every fault once, in processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.faults import FAULTS


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the benchmark forks its trainings")
def test_no_fault_harms_a_training_or_costs_a_report(repository: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/faults.py", "--kills", "2", "--repeats", "1"],
        cwd=repository,
        env=os.environ
        | {"PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f"| {fault} " in done.stdout for fault in FAULTS)
