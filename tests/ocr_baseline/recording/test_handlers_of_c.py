"""Signal handlers that Python knows nothing of, which a report leaves as they were."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import faulthandler, os, signal, sys
from ocr_baseline import record

faulthandler.register(signal.SIGTERM, chain=sys.argv[2] == "chained")
with record(sys.argv[1]) as run, run.stage("train"):
    for _ in run.batches([1, 2, 3]):
        pass
os.kill(os.getpid(), signal.SIGTERM)
print("went on")
"""


@pytest.mark.parametrize(
    ("mode", "ends_with"), [("chained", -signal.SIGTERM), ("alone", 0)], ids=["chained", "alone"]
)
def test_the_fault_handler_still_answers_a_signal_after_a_report(
    mode: str, ends_with: int, tmp_path: Path
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), mode],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    assert "most recent call first" in ended.stderr
    assert ended.returncode == ends_with
    assert ("went on" in ended.stdout) == (ends_with == 0)
    assert (tmp_path / "baseline.json").is_file()
