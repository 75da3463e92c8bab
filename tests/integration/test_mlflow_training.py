"""One run, recorded by MLflow's loggers too: read back from its stores, and published to them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.document import Baseline
from ocr_baseline.records import reader
from ocr_baseline.sources.mlflow import run as mlflow_run
from ocr_baseline.sources.source import ReadOptions
from tests.integration import mlflow_training
from tests.integration.mlflow_server import mlflow_server
from tests.integration.phase_numbers import phase_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("lightning")
mlflow = pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
for _package in ("sqlalchemy", "flask", "flask_cors"):
    pytest.importorskip(_package, reason="MLflow's tracking server needs it")

STAGES = ("train", "validation")
CLIENT_LIMIT_S = mlflow_training.CLIENT_LIMIT_S


@dataclass(frozen=True)
class Trained:
    """A training that is over, and by store the tracking URI and id of its run."""

    folder: Path
    runs: dict[str, tuple[str, str]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    folder = tmp_path_factory.mktemp("mlflow")
    database = f"sqlite:///{folder / 'server.db'}"
    with mlflow_server(database, folder) as url:
        done = subprocess.run(
            [sys.executable, mlflow_training.__file__, folder, url],
            env=os.environ | {"MLFLOW_ALLOW_FILE_STORE": "true"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        ids = json.loads(done.stdout.splitlines()[-1])
        runs = {
            "server": (url, ids["server"]),
            "sqlite": (database, ids["server"]),
            "folder": (str(folder / "mlruns"), ids["folder"]),
        }
        yield Trained(folder, runs)


@pytest.mark.parametrize("store", ["server", "sqlite", "folder"])
def test_a_run_read_back_from_mlflow_gives_what_the_recorder_measured(
    trained: Trained, store: str
) -> None:
    uri, run_id = trained.runs[store]

    read = analyze(mlflow_run.load(run_id, ReadOptions(mlflow_uri=uri, timeout_s=CLIENT_LIMIT_S)))

    assert (read.run.source, read.run.status) == ("mlflow", "finished")
    assert (read.run.name, read.run.project) == ("calm", "receipts")
    assert (read.run.url is not None) == (store == "server")
    recorded = analyze(reader.load(trained.folder))
    for stage in STAGES:
        expected = phase_numbers(recorded, stage)
        assert phase_numbers(read, stage) == pytest.approx(expected)
        assert expected["epochs"] == mlflow_training.EPOCHS


@pytest.mark.parametrize("store", ["server", "folder"])
def test_the_runs_of_the_trainers_loggers_get_the_numbers_and_the_page(
    trained: Trained, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    uri, run_id = trained.runs[store]
    client = mlflow.MlflowClient(tracking_uri=uri)
    train = _reported(trained).phase("train")
    assert train is not None
    assert train.batch_time_s is not None

    run = client.get_run(run_id)

    assert run.info.status == "FINISHED"
    assert run.data.metrics["baseline/train_batch_time_s"] == train.batch_time_s.median
    page = client.download_artifacts(run_id, "baseline/baseline.html", str(tmp_path))
    assert Path(page).read_bytes() == (trained.folder / "baseline" / "baseline.html").read_bytes()


def _reported(trained: Trained) -> Baseline:
    document = (trained.folder / "baseline" / "baseline.json").read_text()
    return Baseline.model_validate_json(document)


def test_a_training_that_logs_to_a_server_is_reported_from_it_when_the_fit_ends(
    trained: Trained,
) -> None:
    reported = _reported(trained)

    assert reported.run.source == "mlflow"
    assert not [entry for entry in reported.missing if entry.metric.startswith("source ")]
    recorded = analyze(reader.load(trained.folder))
    for stage in STAGES:
        assert phase_numbers(reported, stage) == pytest.approx(phase_numbers(recorded, stage))
