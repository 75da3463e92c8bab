"""MLflow runs in real local stores, read through the real client."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ocr_baseline.errors import SourceError
from ocr_baseline.sources.mlflow.run import load
from ocr_baseline.sources.source import ReadOptions
from ocr_baseline.vocabulary import Stage

pytest.importorskip("mlflow", reason="the extra mlflow is not installed")

PROGRAM = """
import json, sys
import mlflow

client = mlflow.MlflowClient(tracking_uri=sys.argv[1])
experiment = client.create_experiment("receipts")
ids = []
for name in ("calm", "busy"):
    run_id = client.create_run(experiment, run_name=name).info.run_id
    ids.append(run_id)
    for epoch in range(3):
        for key, value in {"val_epoch_time": 2.0 + epoch, "val_num_batches": 8}.items():
            client.log_metric(run_id, f"performance/{key}", value, step=epoch * 10)
        client.log_metric(run_id, "epoch", epoch, step=epoch * 10)
client.log_metric(ids[0], "performance/val_batch_mean", float("nan"), step=20)
client.log_param(ids[0], "optimizer/lr", 0.1)
client.log_param(ids[0], "api_key", "s3cret")
client.set_terminated(ids[0], "FAILED")
print(json.dumps(ids))
"""


@pytest.fixture(autouse=True)
def _folder_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")


def _store(uri: str) -> tuple[str, str]:
    """Make a run that ended and one that goes on in the store; return their ids."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, uri], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    ended, going_on = json.loads(done.stdout.splitlines()[-1])
    return ended, going_on


@pytest.mark.parametrize("kind", ["folder", "sqlite"])
def test_runs_are_read_with_identity_epochs_parameters_and_state(tmp_path: Path, kind: str) -> None:
    if kind == "sqlite":
        pytest.importorskip("sqlalchemy", reason="MLflow's databases need sqlalchemy")
    uri = {"folder": str(tmp_path / "mlruns"), "sqlite": f"sqlite:///{tmp_path / 'runs.db'}"}[kind]
    run_id, other_id = _store(uri)

    run = load(run_id, ReadOptions(mlflow_uri=uri, timeout_s=60))

    assert (run.info.source, run.info.status, run.info.ended_by) == ("mlflow", "failed", "FAILED")
    assert (run.info.id, run.info.name, run.info.project) == (run_id, "calm", "receipts")
    assert run.info.duration_s is not None
    assert run.config == {"optimizer/lr": "0.1", "api_key": "<redacted>"}
    (stage,) = run.stages
    assert stage.stage is Stage.VALIDATION
    found = [(epoch.epoch, epoch.epoch_time_s, epoch.num_batches) for epoch in stage.reported]
    assert found == [(0, 2.0, 8), (1, 3.0, 8), (2, 4.0, 8)]
    unusable = {entry.metric: entry.detail for entry in run.missing if entry.reason == "failed"}
    assert "NaN" in str(unusable["phases.validation.batch_time_s.mean"])
    other = load(other_id, ReadOptions(mlflow_uri=uri, timeout_s=60))
    assert other.info.status == "running"
    assert any("not over" in warning for warning in other.measurement.warnings)
    with pytest.raises(SourceError, match="no such run; check the id"):
        load("0" * 32, ReadOptions(mlflow_uri=uri, timeout_s=60))


@pytest.mark.parametrize("uri", ["sqlite:///{}/absent.db", "{}/absent", "file://{}/absent"])
def test_a_store_that_is_not_there_is_told_and_not_made(tmp_path: Path, uri: str) -> None:
    with pytest.raises(SourceError, match="no such MLflow store"):
        load("a" * 32, ReadOptions(mlflow_uri=uri.format(tmp_path)))

    assert list(tmp_path.iterdir()) == []


def test_a_server_out_of_reach_is_told_without_its_password(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with pytest.raises(SourceError, match=r"Connection refused|nothing came") as caught:
        load("a" * 32, ReadOptions(mlflow_uri=f"http://me:s3cret@127.0.0.1:{port}", timeout_s=30))

    assert "s3cret" not in str(caught.value)


def test_a_hanging_server_is_given_up_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began_s = time.monotonic()

        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(SourceError, match="nothing came for 1 s"):
            load("a" * 32, ReadOptions(mlflow_uri=uri, timeout_s=1))

        assert time.monotonic() - began_s < 60


def test_a_local_store_that_is_slow_is_told_as_such_and_not_as_the_network(tmp_path: Path) -> None:
    database = tmp_path / "runs.db"
    os.mkfifo(database)  # opening it waits for a writer that never comes

    with pytest.raises(SourceError, match="nothing came for 1 s") as caught:
        load("a" * 32, ReadOptions(mlflow_uri=f"sqlite:///{database}", timeout_s=1))

    assert "the database or this machine is busy" in str(caught.value)
    assert "--timeout, in Python timeout_s" in str(caught.value)
    assert "network" not in str(caught.value)
