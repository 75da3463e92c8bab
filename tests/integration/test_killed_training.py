"""A training that is killed without warning leaves all but its last second of batches."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ocr_baseline.records import reader

KILLED_AFTER_S = 3.5
LOST_S = 1.0
BUSY_MACHINE_S = 1.0
"""What the heartbeat's thread may come late on a machine with other work."""

START_TIMEOUT_S = 240.0


def instants_s(folder: Path) -> list[float]:
    """Return when each batch ended, in seconds, as the training noted it."""
    path = folder / "instants"
    content = path.read_bytes() if path.is_file() else b""
    return [ns * 1e-9 for (ns,) in struct.iter_unpack("q", content[: len(content) // 8 * 8])]


@pytest.mark.slow
def test_a_killed_training_leaves_all_but_its_last_second_of_batches(
    repository: Path, tmp_path: Path
) -> None:
    training = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.endless_training", str(tmp_path)],
        cwd=repository,
        env=os.environ | {"PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not (ended_s := instants_s(tmp_path)) or ended_s[-1] - ended_s[0] < KILLED_AFTER_S:
            assert training.poll() is None, "the training ended by itself"
            assert time.monotonic() < deadline_s, "the training did not begin"
            time.sleep(0.02)
    finally:
        training.kill()
    killed_s = time.perf_counter()
    training.wait()

    ended_s = instants_s(tmp_path)
    run = reader.load(tmp_path)
    (train,) = run.stages
    assert train.batches is not None
    recorded = len(train.batches.batch_idx)
    assert run.info.status == "unknown"
    assert train.batches.batch_idx.tolist() == list(range(recorded))
    assert 0 < recorded <= len(ended_s) + 1
    lost_s = [killed_s - instant_s for instant_s in ended_s[recorded:]]
    assert max(lost_s, default=0.0) <= LOST_S + BUSY_MACHINE_S
