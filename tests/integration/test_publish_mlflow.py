"""Reports published to runs of a real MLflow server and of a local store."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from ocr_baseline.cli import main
from ocr_baseline.reports.run.json import render_json
from tests.integration.mlflow_server import mlflow_server
from tests.ocr_baseline.examples import full_baseline

mlflow = pytest.importorskip("mlflow", reason="the extra mlflow is not installed")

PATIENCE = ["--timeout", "60"]


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "baseline.json"
    path.write_text(render_json(full_baseline()), encoding="utf-8")
    return path


def test_an_ended_run_gets_the_numbers_and_the_page(
    tmp_path: Path, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mlflow_server(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path) as url:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
        client = mlflow.MlflowClient(tracking_uri=url)
        run_id = client.create_run(client.create_experiment("receipts")).info.run_id
        client.set_terminated(run_id, "FINISHED")
        assert main(["publish", str(document), "--to", f"mlflow:{run_id}", *PATIENCE]) == 0
        run = client.get_run(run_id)
        assert run.info.status == "FINISHED"
        train = full_baseline().phase("train")
        assert train is not None
        assert train.batch_time_s is not None
        assert run.data.metrics["baseline/train_batch_time_s"] == train.batch_time_s.median
        page = client.download_artifacts(run_id, "baseline/baseline.html", str(tmp_path))
        assert "<html" in Path(page).read_text(encoding="utf-8")


def test_a_run_that_is_not_there_is_named(
    tmp_path: Path,
    document: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert main(["publish", str(document), "--to", f"mlflow:{'0' * 32}", *PATIENCE]) == 2
    error = capsys.readouterr().err
    assert "0" * 32 in error
    assert "check the id and the tracking URI" in error


def test_a_server_that_never_answers_is_given_up(
    document: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert main(["publish", str(document), "--to", "mlflow:abc", "--timeout", "1"]) == 2
    assert "not published to mlflow: MLflow run abc" in capsys.readouterr().err
