"""A limit on the size of files ends what is recorded, and never the training."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="this system has no such limit"),
]

TRAINING = """
import resource, signal, sys
from pathlib import Path
from tests.ocr_baseline.lightning.tiny_runs import *

def raises(number, frame):
    raise OverflowError("a file is too large")

signal.signal(signal.SIGXFSZ, signal.SIG_DFL if sys.argv[2] == "ends it" else raises)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
run = tiny_run(
    Path(sys.argv[1]), lambda t, m: t.fit(m, loader(num_workers=1), loader(6)), logger=False
)
print("ended by", run.ended_by, "after", run.trainer.global_step)
"""


@pytest.mark.parametrize("signal", ["ends it", "raises in it"])
@pytest.mark.parametrize("limit", [100, 20_000])
def test_a_training_whose_records_or_report_are_too_large_goes_on(
    signal: str, limit: int, tmp_path: Path, repository: Path
) -> None:
    """The smaller limit is reached by the records' first line, the larger one by the report."""
    output = tmp_path / "output"
    with output.open("w") as file:
        file.write("x" * 90)
    with output.open("a") as file:
        done = subprocess.run(
            [sys.executable, "-c", TRAINING, str(tmp_path), signal, str(limit)],
            env=os.environ | {"PYTHONPATH": str(repository)},
            stdout=subprocess.PIPE if limit == 100 else file,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=120,
        )

    assert done.returncode == 0, done.stderr
    printed = done.stdout if limit == 100 else output.read_text()
    assert "ended by None after 4" in printed
