"""Trainings under the real W&B client whose numbers reach its logger only."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.demos.boring_classes import BoringModel
from lightning.pytorch.loggers import WandbLogger

from ocr.lightning_modules.callbacks import BaselineReportCallback
from ocr.performance.baseline import Baseline

if TYPE_CHECKING:
    from tests.integration.wandb_server import WandbServer

LIMIT_S = 2.0


class LogsToTheLogger(Callback):
    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert trainer.logger is not None
        seconds = {"performance": {"val_epoch_time": 1.5 + trainer.current_epoch}}
        trainer.logger.log_metrics(seconds, trainer.global_step)  # type: ignore[arg-type]  # nested on purpose


def _fit(folder: Path, report: BaselineReportCallback, **options: Any) -> Trainer:
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=2,
        limit_train_batches=2,
        limit_val_batches=2,
        limit_test_batches=2,
        num_sanity_val_steps=0,
        default_root_dir=folder,
        logger=WandbLogger(project="baseline", save_dir=folder, **options),
        callbacks=[LogsToTheLogger(), report],
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )
    trainer.fit(BoringModel())
    return trainer


def _baseline(folder: Path) -> Baseline:
    return Baseline.model_validate_json((folder / "baseline" / "baseline.json").read_text())


def _failures(baseline: Baseline) -> dict[str, str]:
    return {
        entry.metric: str(entry.detail)
        for entry in baseline.missing
        if entry.metric.startswith("source ")
    }


def test_an_offline_run_is_reported_from_the_clients_file_and_its_live_summary(
    wandb_environment: None, tmp_path: Path
) -> None:
    _fit(tmp_path, BaselineReportCallback(), offline=True)

    baseline = _baseline(tmp_path)
    assert baseline.run.source == "wandb-offline"
    assert baseline.run.status == "finished"
    (phase,) = baseline.phases
    assert phase.per_epoch[-1].total_s == 2.5
    assert any("last rows" in warning for warning in baseline.measurement.warnings)


@pytest.mark.slow
def test_a_server_that_hangs_costs_a_training_its_limit_once_and_is_named(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    report = BaselineReportCallback(sources=["wandb-api"], wandb_timeout_s=LIMIT_S)
    wandb_server.hang_on = {"Run", "RunHistoryKeys", "HistoryPage", "RunFullHistory"}
    trainer = _fit(tmp_path, report)
    began_s = time.monotonic()

    trainer.test(BoringModel(), verbose=False)

    assert time.monotonic() - began_s < LIMIT_S
    assert "nothing came for 2 s" in _failures(_baseline(tmp_path))["source wandb-api"]


def test_a_server_that_fails_is_named_and_the_run_is_reported_from_what_is_next(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    report = BaselineReportCallback(sources=["wandb-api", "wandb-offline"])
    wandb_server.refuse = {"Run"}

    _fit(tmp_path, report)

    baseline = _baseline(tmp_path)
    assert baseline.run.source == "wandb-offline"
    assert baseline.run.url is not None
    # The client tries again before it tells; on a busy machine its limit is over by then.
    assert re.search(r"could not be read|nothing came", _failures(baseline)["source wandb-api"])
