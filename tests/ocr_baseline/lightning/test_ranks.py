"""Trainings over two real processes (gloo, on the CPU)."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ocr_baseline.model.document import Baseline
from ocr_baseline.model.document_file import read_baseline
from ocr_baseline.recording.rank_records import wait_for_ranks
from ocr_baseline.records import reader
from tests.ocr_baseline.lightning import distributed_training
from tests.ocr_baseline.lightning.distributed_training import BATCHES, SLEEP_S

Train = Callable[..., "subprocess.CompletedProcess[str]"]
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")


@pytest.fixture
def train(tmp_path: Path, repository: Path) -> Train:
    def started(
        case: str, *launcher: str, devices: int = 2, nodes: int = 1
    ) -> subprocess.CompletedProcess[str]:
        script = [distributed_training.__file__, str(tmp_path), case, str(devices), str(nodes)]
        inherited = {key: value for key, value in os.environ.items() if "RANK" not in key}
        environment = inherited | {"PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1"}
        others = [
            subprocess.Popen(
                [sys.executable, *launcher, f"--node-rank={node}", *script], env=environment
            )
            for node in range(1, nodes)
        ]
        done = subprocess.run(
            [sys.executable, *launcher, *script],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        for other in others:
            assert other.wait(timeout=60) == 0
        return done

    return started


def report_in(folder: Path) -> Baseline:
    reports = list(folder.rglob("baseline.json"))
    assert len(reports) == 1, "rank 0 alone reports"
    return read_baseline(reports[0])


@pytest.mark.slow
def test_two_ranks_started_by_lightning_make_one_report_that_names_the_slow_one(
    train: Train, tmp_path: Path
) -> None:
    done = train("straggler")
    assert done.returncode == 0, done.stderr
    baseline = report_in(tmp_path / "of_rank_0")
    assert not (tmp_path / "of_rank_1" / "baseline").exists(), "all ranks write to rank 0's folder"
    assert [(rank.rank, rank.status) for rank in baseline.ranks] == [
        (0, "finished"),
        (1, "finished"),
    ]
    assert [rank.phases[0].batches for rank in baseline.ranks] == [BATCHES, BATCHES]
    own = next(s for s in baseline.rank_spreads if (s.phase, s.metric) == ("train", "own"))
    assert own.max_rank == 1
    finding = next(f for f in baseline.findings if f.id == "straggler-rank-train")
    assert "Rank 1 works longer" in finding.title
    assert "`forward`" in finding.title
    waits = [rank.phases[0].backward_s for rank in baseline.ranks]
    assert waits[0] > waits[1], "rank 0 waits in the exchange of gradients"
    waited_s = [rank.phases[0].gradient_wait_mean_s for rank in baseline.ranks]
    assert waited_s[0] is not None
    assert waited_s[1] is not None
    assert waited_s[0] > SLEEP_S / 2 > waited_s[1]
    assert baseline.ranks[0].phases[1].gradient_wait_mean_s is None
    validation = baseline.phase("validation")
    assert validation is not None
    assert "collectives" in {line.name for line in validation.breakdown}


@pytest.mark.slow
def test_two_ranks_started_by_torchrun_make_one_report(train: Train, tmp_path: Path) -> None:
    done = train("even", *TORCHRUN)
    assert done.returncode == 0, done.stderr
    baseline = report_in(tmp_path)
    assert baseline.world_size == 2
    assert [rank.status for rank in baseline.ranks] == ["finished", "finished"]
    assert not [entry for entry in baseline.missing if entry.metric == "ranks"]


@pytest.mark.slow
def test_four_ranks_on_two_hosts_make_one_report(train: Train, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    hosts = ("--nnodes=2", "--master-addr=127.0.0.1", f"--master-port={port}")
    done = train("even", *TORCHRUN[:2], *hosts, "--nproc-per-node=2", devices=2, nodes=2)
    assert done.returncode == 0, done.stderr
    baseline = report_in(tmp_path)
    assert baseline.world_size == 4
    assert [(rank.rank, rank.status) for rank in baseline.ranks] == [
        (rank, "finished") for rank in range(4)
    ]


@pytest.mark.slow
def test_a_rank_that_raises_leaves_records_that_say_so(train: Train, tmp_path: Path) -> None:
    done = train("raise", *TORCHRUN)
    assert done.returncode != 0
    run = reader.load(tmp_path / "of_rank_0")
    assert run.ranks[1].status == "failed"
    assert run.ranks[1].ended_by == "ValueError: rank 1 has had enough"


@pytest.mark.slow
def test_a_rank_without_the_callbacks_holds_nobody_up(train: Train, tmp_path: Path) -> None:
    done = train("without on 1", *TORCHRUN)
    assert done.returncode == 0, done.stderr
    baseline = report_in(tmp_path)
    assert [(phase.name, phase.batches) for phase in baseline.phases[:1]] == [("train", 12)]
    assert [entry for entry in baseline.missing if entry.metric == "ranks"]


def test_rank_0_waits_for_records_no_longer_than_it_may(tmp_path: Path) -> None:
    (tmp_path / "rank_1.jsonl").write_text('{"type":"status","reports":1}\n')
    wait_for_ranks(tmp_path, world_size=2, reports=1, timeout_s=60)
    wait_for_ranks(tmp_path, world_size=4, reports=1, timeout_s=60)  # 2 and 3 are elsewhere
    wait_for_ranks(tmp_path, world_size=2, reports=2, timeout_s=0.05)
