"""Runs read through the real W&B client from a loopback server."""

from __future__ import annotations

import math
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ocr.performance.errors import SourceError
from ocr.performance.sources.wandb_api import load
from ocr.performance.stages import Stage
from tests.integration.wandb_server import ENTITY, StoredRun, WandbServer

if TYPE_CHECKING:
    from ocr.performance.run import Run, StageRecord

GIB = 2**30


def _rows(*logged: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"_step": step, "_runtime": float(step), "_timestamp": 1.7e9 + step, **row}
        for step, row in enumerate(logged)
    ]


def _finished_run() -> StoredRun:
    return StoredRun(
        id="abc123",
        config={"lr": 0.001, "wandb": {"api_key": "s3cret"}, "store": "https://me:pw@host/data"},
        summary={"performance/val_epoch_time": 4.0, "_wandb": {"runtime": 61}},
        rows=_rows(
            {"performance/train_epoch_time": 10.0, "epoch": 0, "trainer/global_step": 8},
            {"performance/train_batch_mean": 1, "performance/train_num_batches": 8, "epoch": 0},
            {"performance/val_epoch_time": 3.5, "performance/val_num_batches": 4.0, "epoch": 0},
            {"performance/val_batch_mean": 0.5, "performance/val_batch_p95": 0.75, "epoch": 0},
            {"performance/gpu_memory_gb": 1.5, "performance/cpu_memory_percent": 40},
            {"performance/val_epoch_time": 4.0, "performance/val_num_batches": 4.0, "epoch": 1},
        ),
        system_rows=[
            {"_runtime": 1.0, "system.proc.memory.rssMB": 100.0, "system.memory_percent": 20.0},
            {"_runtime": 16.0, "system.proc.memory.rssMB": 300.0, "system.memory_percent": 25.0},
        ],
    )


def _stage(run: Run, stage: Stage) -> StageRecord:
    return next(record for record in run.stages if record.stage is stage)


def _missing(run: Run) -> dict[str, str]:
    return {entry.metric: entry.reason for entry in run.missing}


def test_a_finished_run_is_read_with_its_identity_epochs_and_config(
    wandb_server: WandbServer,
) -> None:
    wandb_server.add(_finished_run())

    run = load("abc123", project="baseline")

    assert (run.info.source, run.info.status) == ("wandb-api", "finished")
    assert (run.info.id, run.info.project, run.info.entity) == ("abc123", "baseline", ENTITY)
    assert run.info.url == f"{wandb_server.url}/{ENTITY}/baseline/runs/abc123"
    assert run.info.duration_s == 61
    assert run.info.started_at is not None
    assert run.info.started_at.isoformat() == "2026-03-01T09:00:00+00:00"
    assert [epoch.epoch_time_s for epoch in _stage(run, Stage.VALIDATION).reported] == [3.5, 4.0]
    assert run.config == {
        "lr": 0.001,
        "wandb": {"api_key": "<redacted>"},
        "store": "https://<redacted>@host/data",
    }


def test_keys_of_one_epoch_logged_at_different_steps_make_one_epoch(
    wandb_server: WandbServer,
) -> None:
    wandb_server.add(_finished_run())

    train = _stage(load("abc123", project="baseline"), Stage.TRAIN).reported

    assert len(train) == 1
    assert (train[0].epoch, train[0].epoch_time_s) == (0, 10.0)
    assert (train[0].batch_mean_s, train[0].num_batches) == (1.0, 8)


def test_system_metrics_become_memory_over_time_beside_the_logged_accelerator_memory(
    wandb_server: WandbServer,
) -> None:
    wandb_server.add(_finished_run())

    memory = load("abc123", project="baseline").memory

    assert memory is not None
    assert memory.main_rss_bytes.tolist() == [100 * 2**20, 300 * 2**20]
    assert memory.system_memory_percent.tolist() == [20.0, 25.0]
    assert memory.at_s.tolist() == [1.0, 16.0]
    assert np.isnan(memory.tree_rss_bytes).all()
    assert memory.accelerator_allocated_peak_bytes == 1.5 * GIB
    assert memory.accelerator_reserved_peak_bytes is None


@pytest.mark.parametrize(
    "reference",
    [
        "baseline/abc123",
        f"{ENTITY}/baseline/abc123",
        f"https://wandb.invalid/{ENTITY}/baseline/runs/abc123?nw=1",
    ],
)
def test_a_run_is_found_by_path_and_by_url(wandb_server: WandbServer, reference: str) -> None:
    wandb_server.add(_finished_run())

    assert load(reference).info.id == "abc123"


@pytest.mark.parametrize(
    ("state", "status", "told"),
    [("running", "running", "not over"), ("crashed", "failed", "last rows")],
)
def test_a_run_that_did_not_finish_says_so(
    wandb_server: WandbServer, state: str, status: str, told: str
) -> None:
    stored = _finished_run()
    stored.state = state
    wandb_server.add(stored)

    run = load("abc123", project="baseline")

    assert run.info.status == status
    assert any(told in warning for warning in run.measurement.warnings)


def test_an_empty_run_has_no_stages_and_no_zeros(wandb_server: WandbServer) -> None:
    wandb_server.add(StoredRun(id="empty"))

    run = load("empty", project="baseline")

    assert run.stages == ()
    assert run.memory is None
    assert _missing(run)["phases.validation"] == "not_collected"


def test_nan_rows_are_left_out_and_told(wandb_server: WandbServer) -> None:
    rows = _rows(
        {"performance/val_epoch_time": float("nan"), "epoch": 0},
        {"performance/val_epoch_time": 2.0, "epoch": 1},
        {"performance/val_batch_mean": "Infinity", "epoch": 1},
    )
    wandb_server.add(StoredRun(id="nan", rows=rows))

    run = load("nan", project="baseline")

    epochs = _stage(run, Stage.VALIDATION).reported
    assert [(epoch.epoch, epoch.epoch_time_s) for epoch in epochs] == [(0, None), (1, 2.0)]
    details = {entry.metric: entry.detail for entry in run.missing if entry.reason == "failed"}
    assert details["phases.validation.total_s"] == (
        "performance/val_epoch_time was logged as NaN in 1 of 2 epochs"
    )
    assert details["phases.validation.batch_time_s.mean"] == (
        "performance/val_batch_mean was logged as Infinity in 1 of 1 epochs"
    )


def test_absent_keys_of_an_exported_run_are_absent(wandb_server: WandbServer) -> None:
    stored = _finished_run()
    stored.parquet = True
    wandb_server.add(stored)

    epochs = _stage(load("abc123", project="baseline"), Stage.VALIDATION).reported

    assert [epoch.epoch_time_s for epoch in epochs] == [3.5, 4.0]
    assert epochs[1].batch_mean_s is None


def test_the_summary_fills_in_only_what_no_row_holds_and_the_report_is_told(
    wandb_server: WandbServer,
) -> None:
    summary = {"performance/val_epoch_time": 99.0, "performance/val_batch_p99": {"mean": 0.9}}
    rows = _rows({"performance/val_epoch_time": 2.0, "epoch": 3})
    wandb_server.add(StoredRun(id="summary", summary=summary, rows=rows))

    run = load("summary", project="baseline")

    (epoch,) = _stage(run, Stage.VALIDATION).reported
    assert (epoch.epoch_time_s, epoch.batch_p99_s) == (2.0, 0.9)
    summed_up = [warning for warning in run.measurement.warnings if "summary" in warning]
    assert len(summed_up) == 2
    assert all("val_batch_p99" in warning for warning in summed_up)


def test_a_test_stage_is_not_read_as_validation(wandb_server: WandbServer) -> None:
    rows = _rows({"performance/test_epoch_time": 16.29, "performance/test_num_batches": 34})
    wandb_server.add(StoredRun(id="tested", rows=rows))

    run = load("tested", project="baseline")

    assert [record.stage for record in run.stages] == [Stage.TEST]
    assert _missing(run)["phases.validation"] == "not_collected"


def test_every_row_is_read_and_huge_steps_take_few_requests(wandb_server: WandbServer) -> None:
    rows = [
        {"_step": step * 1_000_000, "performance/val_epoch_time": 1.0 + step, "epoch": step}
        for step in range(700)
    ]
    wandb_server.add(StoredRun(id="sparse", rows=rows))

    run = load("sparse", project="baseline")

    assert len(_stage(run, Stage.VALIDATION).reported) == 700
    assert wandb_server.operations.count("HistoryPage") < 10


def test_a_missing_run_is_named_with_what_to_check(wandb_server: WandbServer) -> None:
    with pytest.raises(SourceError, match=r"baseline/nothere at http.*does not exist.*--project"):
        load("nothere", project="baseline")


def test_a_run_deleted_while_it_is_read_is_told(wandb_server: WandbServer) -> None:
    wandb_server.add(StoredRun(id="gone", deleted=True))

    with pytest.raises(SourceError, match="was deleted"):
        load("gone", project="baseline")


def test_a_refused_key_is_told_as_one(
    wandb_server: WandbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "f" * 40)

    with pytest.raises(SourceError, match=r"key was refused: user is not logged in; .*relogin"):
        load("abc123", project="baseline")


def test_a_key_of_the_wrong_form_is_told_as_one(
    wandb_server: WandbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "short")

    with pytest.raises(SourceError, match="refused: WANDB_API_KEY invalid"):
        load("abc123", project="baseline")


def test_without_a_key_the_remedy_is_to_log_in(
    wandb_server: WandbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_API_KEY")

    with pytest.raises(SourceError, match="without an API key; `wandb login`"):
        load("abc123", project="baseline")


def test_a_server_in_error_is_told_with_its_answer(wandb_server: WandbServer) -> None:
    wandb_server.fail_with = 500

    with pytest.raises(SourceError, match="could not be read: HTTP 500: out of order"):
        load("abc123", project="baseline")


def test_an_unreachable_server_is_told_soon_with_the_cause(
    wandb_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{port}")
    began = time.monotonic()

    with pytest.raises(SourceError, match=r"read: .*connection refused; check the network"):
        load("abc123", project="baseline")

    assert time.monotonic() - began < 15


def test_an_invalid_server_url_is_told(
    wandb_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", "nowhere")

    with pytest.raises(SourceError, match="check WANDB_BASE_URL"):
        load("abc123", project="baseline")


@pytest.mark.parametrize("operation", ["Viewer", "Run", "HistoryPage", "RunFullHistory"])
def test_a_hanging_server_is_given_up_in_time(wandb_server: WandbServer, operation: str) -> None:
    wandb_server.add(_finished_run())
    wandb_server.hang_on = {operation}
    began = time.monotonic()

    with pytest.raises(SourceError, match=r"nothing came for 2 s|Timeout exceeded"):
        load("abc123", project="baseline", timeout_s=2)

    assert time.monotonic() - began < 10


def test_reading_leaves_the_users_settings_and_environment_as_they_were(
    wandb_server: WandbServer,
) -> None:
    import wandb

    wandb_server.add(_finished_run())
    wandb_server.hang_on = {"Run"}
    settings = wandb.setup().settings
    before = settings.model_dump()
    environment = dict(os.environ)

    with pytest.raises(SourceError):
        load("abc123", project="baseline", timeout_s=1)

    assert settings.model_dump() == before
    assert dict(os.environ) == environment


def test_no_number_of_a_run_is_non_finite(wandb_server: WandbServer) -> None:
    rows = _rows(
        {"performance/val_epoch_time": "NaN", "performance/gpu_memory_gb": float("inf")},
        {"performance/val_batch_mean": {"_type": "histogram", "bins": []}},
    )
    wandb_server.add(StoredRun(id="odd", rows=rows, config={"lr": math.nan}))

    run = load("odd", project="baseline")

    (epoch,) = _stage(run, Stage.VALIDATION).reported
    assert (epoch.epoch_time_s, epoch.batch_mean_s) == (None, None)
    assert run.memory is None
    assert run.config == {"lr": "NaN"}


def test_a_run_written_by_the_client_is_read_back_through_the_api(
    wandb_server: WandbServer,
) -> None:
    import wandb

    run = wandb.init(project="baseline", config={"lr": 0.01, "token": "s3cret"})
    run.log({"performance/val_epoch_time": 3.25, "epoch": 0})
    run.log({"performance/val_batch_mean": 0.125, "performance/val_num_batches": 26, "epoch": 0})
    run.log({"performance": {"train_epoch_time": 7.5}, "page": wandb.Html("<p>x</p>")})
    run.finish()

    read = load(run.id, project="baseline")

    (validation,) = _stage(read, Stage.VALIDATION).reported
    assert (validation.epoch, validation.epoch_time_s) == (0, 3.25)
    assert (validation.batch_mean_s, validation.num_batches) == (0.125, 26)
    assert _stage(read, Stage.TRAIN).reported[0].epoch_time_s == 7.5
    assert read.config == {"lr": 0.01, "token": "<redacted>"}
    assert read.info.status == "finished"


def test_a_live_run_can_be_read_in_its_own_process_and_goes_on(wandb_server: WandbServer) -> None:
    import wandb

    run = wandb.init(project="baseline")
    run.log({"performance/val_epoch_time": 3.25})

    read = load(run.id, project="baseline")
    run.log({"performance/val_epoch_time": 4.25})
    run.finish()

    assert read.info.status == "running"
    stored = [row.get("performance/val_epoch_time") for row in wandb_server.runs[run.id].rows]
    assert stored == [3.25, 4.25]


def test_reading_starts_no_thread_that_outlives_it(wandb_server: WandbServer) -> None:
    wandb_server.add(_finished_run())

    load("abc123", project="baseline")

    assert not [thread for thread in threading.enumerate() if thread.name == "wandb-reader"]
