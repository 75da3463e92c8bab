"""Ranks that are killed, and ranks that hold a part of the module each (gloo, on the CPU)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from lightning.pytorch import strategies

from ocr_baseline.records import reader
from ocr_baseline.recovery import Ending, recover_report
from tests.ocr_baseline.lightning.test_ranks import TORCHRUN, Train, report_in, train

__all__ = ["train"]  # a fixture


@pytest.mark.slow
@pytest.mark.parametrize("launcher", [(), TORCHRUN], ids=["lightning", "torchrun"])
def test_a_rank_that_is_killed_leaves_a_report_of_a_failed_run_that_says_which(
    train: Train, tmp_path: Path, launcher: tuple[str, ...]
) -> None:
    assert train("kill 1", *launcher).returncode != 0
    # torchrun ends rank 0 as well, now and then before its report is written.
    recover_report(tmp_path / "of_rank_0" / "baseline", Ending())
    baseline = report_in(tmp_path / "of_rank_0")
    assert baseline.run.status == "failed"
    assert "RuntimeError" in (baseline.run.ended_by or "")
    assert [(rank.rank, rank.status) for rank in baseline.ranks] == [(0, "failed"), (1, "unknown")]
    train_phase = baseline.phase("train")
    assert train_phase is not None
    assert train_phase.batches == 6, "rank 0 never ended the seventh batch"


@pytest.mark.slow
def test_a_killed_rank_0_leaves_records_that_tell_how_the_others_ended(
    train: Train, tmp_path: Path
) -> None:
    assert train("kill 0", *TORCHRUN).returncode != 0
    run = reader.load(tmp_path / "of_rank_0")
    assert run.info.status == "unknown"
    assert [(rank.rank, rank.status) for rank in run.ranks] == [(0, "unknown"), (1, "failed")]


@pytest.mark.slow
@pytest.mark.skipif(
    not hasattr(strategies, "ModelParallelStrategy"), reason="Lightning shards so since 2.3"
)
def test_a_sharded_module_trains_to_the_same_bits_with_the_callbacks_as_without(
    tmp_path: Path, repository: Path
) -> None:
    from tests.ocr_baseline.lightning import sharded_training

    printed = {}
    for case in ("with", "without"):
        inherited = {key: value for key, value in os.environ.items() if "RANK" not in key}
        done = subprocess.run(
            [sys.executable, sharded_training.__file__, str(tmp_path / case), case],
            env=inherited | {"PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        printed[case] = [line for line in done.stdout.splitlines() if line.startswith("weights")]
    assert printed["with"] == printed["without"]
    baseline = report_in(tmp_path / "with")
    assert [(rank.rank, rank.status) for rank in baseline.ranks] == [
        (0, "finished"),
        (1, "finished"),
    ]
    assert baseline.ranks[1].phases[0].batches == sharded_training.BATCHES
