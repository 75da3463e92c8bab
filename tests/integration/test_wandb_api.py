"""Runs read through the real W&B client from a loopback server."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ocr_baseline.sources.source import ReadOptions
from ocr_baseline.sources.wandb.api import load
from ocr_baseline.vocabulary import Stage
from tests.integration.wandb_example_runs import finished_run, rows_of
from tests.integration.wandb_server import WandbServer
from tests.integration.wandb_stored_run import ENTITY, StoredRun

if TYPE_CHECKING:
    from ocr_baseline.model.run import Run, StageRecord

GIB = 2**30


def _stage(run: Run, stage: Stage) -> StageRecord:
    return next(record for record in run.stages if record.stage is stage)


def _missing(run: Run) -> dict[str, str]:
    return {entry.metric: entry.reason for entry in run.missing}


def test_a_finished_run_is_read_with_its_identity_epochs_and_config(
    wandb_server: WandbServer,
) -> None:
    wandb_server.add(finished_run())

    run = load("abc123", ReadOptions(project="baseline"))

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
    wandb_server.add(finished_run())

    train = _stage(load("abc123", ReadOptions(project="baseline")), Stage.TRAIN).reported

    assert len(train) == 1
    assert (train[0].epoch, train[0].epoch_time_s) == (0, 10.0)
    assert (train[0].batch_mean_s, train[0].num_batches) == (1.0, 8)


def test_system_metrics_become_memory_over_time_beside_the_logged_accelerator_memory(
    wandb_server: WandbServer,
) -> None:
    wandb_server.add(finished_run())

    memory = load("abc123", ReadOptions(project="baseline")).memory

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
    wandb_server.add(finished_run())

    assert load(reference).info.id == "abc123"


@pytest.mark.parametrize(
    ("state", "status", "told"),
    [("running", "running", "not over"), ("crashed", "failed", "last rows")],
)
def test_a_run_that_did_not_finish_says_so(
    wandb_server: WandbServer, state: str, status: str, told: str
) -> None:
    stored = finished_run()
    stored.state = state
    wandb_server.add(stored)

    run = load("abc123", ReadOptions(project="baseline"))

    assert run.info.status == status
    assert any(told in warning for warning in run.measurement.warnings)


def test_an_empty_run_has_no_stages_and_no_zeros(wandb_server: WandbServer) -> None:
    wandb_server.add(StoredRun(id="empty"))

    run = load("empty", ReadOptions(project="baseline"))

    assert run.stages == ()
    assert run.memory is None
    assert _missing(run)["phases.validation"] == "not_collected"


def test_nan_rows_are_left_out_and_told(wandb_server: WandbServer) -> None:
    rows = rows_of(
        {"performance/val_epoch_time": float("nan"), "epoch": 0},
        {"performance/val_epoch_time": 2.0, "epoch": 1},
        {"performance/val_batch_mean": "Infinity", "epoch": 1},
    )
    wandb_server.add(StoredRun(id="nan", rows=rows))

    run = load("nan", ReadOptions(project="baseline"))

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
    stored = finished_run()
    stored.parquet = True
    wandb_server.add(stored)

    epochs = _stage(load("abc123", ReadOptions(project="baseline")), Stage.VALIDATION).reported

    assert [epoch.epoch_time_s for epoch in epochs] == [3.5, 4.0]
    assert epochs[1].batch_mean_s is None


def test_the_summary_fills_in_only_what_no_row_holds_and_the_report_is_told(
    wandb_server: WandbServer,
) -> None:
    summary = {"performance/val_epoch_time": 99.0, "performance/val_batch_p99": {"mean": 0.9}}
    rows = rows_of({"performance/val_epoch_time": 2.0, "epoch": 3})
    wandb_server.add(StoredRun(id="summary", summary=summary, rows=rows))

    run = load("summary", ReadOptions(project="baseline"))

    (epoch,) = _stage(run, Stage.VALIDATION).reported
    assert (epoch.epoch_time_s, epoch.batch_p99_s) == (2.0, 0.9)
    summed_up = [warning for warning in run.measurement.warnings if "summary" in warning]
    assert len(summed_up) == 2
    assert all("val_batch_p99" in warning for warning in summed_up)


def test_a_test_stage_is_not_read_as_validation(wandb_server: WandbServer) -> None:
    rows = rows_of({"performance/test_epoch_time": 16.29, "performance/test_num_batches": 34})
    wandb_server.add(StoredRun(id="tested", rows=rows))

    run = load("tested", ReadOptions(project="baseline"))

    assert [record.stage for record in run.stages] == [Stage.TEST]
    assert _missing(run)["phases.validation"] == "not_collected"


def test_every_row_is_read_and_huge_steps_take_few_requests(wandb_server: WandbServer) -> None:
    rows = [
        {"_step": step * 1_000_000, "performance/val_epoch_time": 1.0 + step, "epoch": step}
        for step in range(700)
    ]
    wandb_server.add(StoredRun(id="sparse", rows=rows))

    run = load("sparse", ReadOptions(project="baseline"))

    assert len(_stage(run, Stage.VALIDATION).reported) == 700
    assert wandb_server.operations.count("HistoryPage") < 10


def test_no_number_of_a_run_is_non_finite(wandb_server: WandbServer) -> None:
    rows = rows_of(
        {"performance/val_epoch_time": "NaN", "performance/gpu_memory_gb": float("inf")},
        {"performance/val_batch_mean": {"_type": "histogram", "bins": []}},
    )
    wandb_server.add(StoredRun(id="odd", rows=rows, config={"lr": math.nan}))

    run = load("odd", ReadOptions(project="baseline"))

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

    read = load(run.id, ReadOptions(project="baseline"))

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

    read = load(run.id, ReadOptions(project="baseline"))
    run.log({"performance/val_epoch_time": 4.25})
    run.finish()

    assert read.info.status == "running"
    stored = [row.get("performance/val_epoch_time") for row in wandb_server.runs[run.id].rows]
    assert stored == [3.25, 4.25]


def test_reading_starts_no_thread_that_outlives_it(wandb_server: WandbServer) -> None:
    wandb_server.add(finished_run())

    load("abc123", ReadOptions(project="baseline"))

    assert not [thread for thread in threading.enumerate() if thread.name == "wandb-reader"]
