"""Reports published to W&B runs by the real client: live, ended and offline."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lightning.pytorch import Trainer
from lightning.pytorch.demos.boring_classes import BoringModel
from lightning.pytorch.loggers import WandbLogger

from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback
from ocr_baseline.cli import main
from ocr_baseline.reports.run.json import render_json
from ocr_baseline.sources.wandb.log import LogState, read_log
from tests.integration.wandb_stored_run import ENTITY, StoredRun
from tests.ocr_baseline.examples import full_baseline

if TYPE_CHECKING:
    from tests.integration.wandb_server import WandbServer

PATIENCE_S = 60.0


def _fit(folder: Path, logger: WandbLogger | bool, wait_s: float = PATIENCE_S) -> None:
    Trainer(
        accelerator="cpu",
        max_epochs=1,
        limit_train_batches=4,
        limit_val_batches=0,
        default_root_dir=folder,
        logger=logger,
        callbacks=[
            PerformanceProfilerCallback(),
            BaselineReportCallback(publish=["wandb"], wandb_timeout_s=wait_s),
        ],
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    ).fit(BoringModel())


def test_an_ended_run_gets_the_numbers_and_the_page(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    document = tmp_path / "baseline.json"
    document.write_text(render_json(full_baseline()), encoding="utf-8")
    run = wandb_server.add(StoredRun(id="ended", rows=[{"_step": 7, "loss": 0.5}]))
    run.config, run.summary = {"lr": 0.1}, {"loss": 0.5, "_wandb": {"runtime": 61}}
    place = f"wandb:{ENTITY}/baseline/ended"
    assert main(["publish", str(document), "--to", place, "--timeout", str(PATIENCE_S)]) == 0
    assert run.summary["loss"] == 0.5
    assert run.summary["baseline/train_batch_time_s"] > 0
    assert run.summary["_wandb"]["runtime"] >= 61
    assert run.config == {"lr": 0.1}
    assert run.state == "finished"
    assert run.rows == [{"_step": 7, "loss": 0.5}]
    assert wandb_server.artifacts == ["baseline-ended"]
    assert b"<html" in wandb_server.uploads["baseline.html"]


def test_a_run_that_is_not_there_is_named(
    wandb_server: WandbServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "baseline.json"
    document.write_text(render_json(full_baseline()), encoding="utf-8")
    place = f"wandb:{ENTITY}/baseline/gone"
    assert main(["publish", str(document), "--to", place, "--timeout", str(PATIENCE_S)]) == 2
    assert f"not published to wandb: W&B run {ENTITY}/baseline/gone" in capsys.readouterr().err
    assert "gone" not in wandb_server.runs


def test_a_live_run_gets_them_by_its_own_client(wandb_server: WandbServer, tmp_path: Path) -> None:
    import wandb

    logger = WandbLogger(project="baseline", save_dir=tmp_path, id="live")
    _fit(tmp_path, logger)
    wandb.finish()
    assert wandb_server.runs["live"].summary["baseline/train_batch_time_s"] > 0
    assert wandb_server.artifacts == ["baseline-live"]
    assert wandb_server.uploads["baseline.html"] == (
        (tmp_path / "baseline" / "baseline.html").read_bytes()
    )


@pytest.mark.usefixtures("wandb_environment")
def test_an_offline_run_keeps_them_in_its_own_file(tmp_path: Path) -> None:
    import wandb

    _fit(tmp_path, WandbLogger(project="baseline", save_dir=tmp_path, offline=True, id="away"))
    wandb.finish()
    wandb.teardown()  # the client's service writes the file to its end
    (file,) = (tmp_path / "wandb").glob("offline-run-*/*.wandb")
    content = b"".join(read_log(file, LogState()))
    assert b"baseline/train_batch_time_s" in content
    assert b"baseline-away" in content


def test_a_server_that_stops_answering_costs_one_warning(
    wandb_server: WandbServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logger = WandbLogger(project="baseline", save_dir=tmp_path, id="slow")
    assert logger.experiment.id == "slow"
    wandb_server.hang_on.add("ArtifactType")
    with caplog.at_level(logging.WARNING):
        _fit(tmp_path, logger, wait_s=1.0)
    warnings = [text for text in caplog.messages if "could not be published" in text]
    assert len(warnings) == 1, (caplog.messages, wandb_server.operations)
    assert "wandb (the W&B client wasn't done within 1 s)" in warnings[0]
    assert "--to wandb:ENTITY/PROJECT/ID` tries again" in warnings[0]
    assert (tmp_path / "baseline" / "baseline.html").is_file()
