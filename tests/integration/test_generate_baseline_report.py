"""The seed's command against a loopback W&B server, as a process of its own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ocr_baseline.model.document_file import read_baseline
from tests.integration.wandb_server import WandbServer
from tests.integration.wandb_stored_run import StoredRun

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, str(ROOT / "scripts" / "performance" / "generate_baseline_report.py")]
LIMIT_S = 60
"""Far more than it takes on a busy machine, and nothing beside a server that never answers."""


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
    )


def _profiled_run() -> StoredRun:
    rows: list[dict[str, Any]] = [
        {"_step": 0, "performance/train_epoch_time": 60.0, "performance/train_batch_mean": 0.5},
        {"_step": 1, "performance/train_num_batches": 120},
        {"_step": 2, "performance/val_epoch_time": 120.5, "performance/val_num_batches": 140},
        {"_step": 3, "performance/val_batch_mean": 0.85, "performance/val_batch_p95": 1.2},
    ]
    project = "OCR_Performance_Baseline"
    return StoredRun(id="abc123", project=project, name="baseline_profiling", rows=rows)


def _assert_one_line_and_exit_2(ended: subprocess.CompletedProcess[str]) -> None:
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith("error: W&B run ")


def test_a_run_becomes_a_report_a_document_and_a_table(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    wandb_server.add(_profiled_run())
    files = [tmp_path / "out" / name for name in ("baseline.md", "baseline.json", "metrics.csv")]

    ended = _run(
        "--run-id", "abc123", "--output", files[0], "--export-json", files[1], "--export-csv",
        files[2],
    )  # fmt: skip

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.split() == [str(file) for file in files]
    assert "baseline_profiling" in files[0].read_text(encoding="utf-8")
    baseline = read_baseline(files[1])
    assert baseline.run.source == "wandb-api"
    validation = baseline.phase("validation")
    assert validation is not None
    assert (validation.total_s, validation.batches) == (120.5, 140)
    assert baseline.train_vs_validation is not None
    assert baseline.train_vs_validation.batch_ratio is not None
    assert baseline.train_vs_validation.batch_ratio.value == pytest.approx(1.7)
    assert json.loads(files[1].read_text(encoding="utf-8"))["schema"] == "ocr-baseline"
    assert "total_s" in files[2].read_text(encoding="utf-8")


def test_a_missing_run_is_one_line_and_exit_2(wandb_server: WandbServer, tmp_path: Path) -> None:
    ended = _run("--run-id", "nothere", "--output", tmp_path / "x.md")

    _assert_one_line_and_exit_2(ended)
    assert "does not exist" in ended.stderr
    assert not (tmp_path / "x.md").exists()


def test_an_unreachable_server_is_one_line_and_exit_2_in_time(
    wandb_environment: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
    began_s = time.monotonic()

    ended = _run("--run-id", "abc123", "--output", tmp_path / "x.md")

    _assert_one_line_and_exit_2(ended)
    assert "connection refused" in ended.stderr
    assert time.monotonic() - began_s < LIMIT_S


@pytest.mark.parametrize("operation", ["Viewer", "HistoryPage"])
def test_a_hanging_server_is_one_line_and_exit_2_in_time(
    wandb_server: WandbServer, tmp_path: Path, operation: str
) -> None:
    wandb_server.add(_profiled_run())
    wandb_server.hang_on = {operation}
    began_s = time.monotonic()

    ended = _run("--run-id", "abc123", "--output", tmp_path / "x.md")

    _assert_one_line_and_exit_2(ended)
    assert time.monotonic() - began_s < LIMIT_S


def test_an_output_that_cannot_be_written_is_one_line_and_exit_2(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    wandb_server.add(_profiled_run())
    (tmp_path / "file").write_text("in the way", encoding="utf-8")

    ended = _run("--run-id", "abc123", "--output", tmp_path / "file" / "x.md")

    assert ended.returncode == 2
    assert ended.stderr.startswith("error: can't write ")
    assert len(ended.stderr.splitlines()) == 1
