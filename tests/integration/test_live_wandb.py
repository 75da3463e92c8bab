"""Trainings under the real W&B client whose numbers reach its logger only."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.demos.boring_classes import BoringModel
from lightning.pytorch.loggers import WandbLogger

from ocr_baseline import BaselineReportCallback
from ocr_baseline.model.document import Baseline
from tests.integration.phase_numbers import phase_numbers

if TYPE_CHECKING:
    from tests.integration.wandb_server import WandbServer

EPOCHS = 2
LIMIT_S = 2.0
UPLOAD_S = 60.0
UPLOAD_INTERVAL = "WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL"
"""In whole seconds: the client takes a part of one for none."""


class LogsToTheLogger(Callback):
    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert trainer.logger is not None
        seconds = {"performance": {"val_epoch_time": 1.5 + trainer.current_epoch}}
        trainer.logger.log_metrics(seconds, trainer.global_step)  # type: ignore[arg-type]  # nested on purpose


class LogsEpochs(Callback):
    """Another project's callback, which logs what it measured and knows nothing of baselines.

    With `uploaded_to` its fit ends when that server holds every row.
    """

    def __init__(self, uploaded_to: WandbServer | None = None) -> None:
        self._server = uploaded_to

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._log(trainer, "train")

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._log(trainer, "val")

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._server is not None:
            run_id = str(trainer.loggers[0].version)
            self._server.wait_for_rows(run_id, "performance/train_epoch_time", EPOCHS, UPLOAD_S)

    def _log(self, trainer: Trainer, prefix: str) -> None:
        values = logged_values(prefix, trainer.current_epoch)
        row = {f"performance/{prefix}_{name}": value for name, value in values.items()}
        trainer.loggers[0].log_metrics({**row, "epoch": trainer.current_epoch}, trainer.global_step)


def logged_values(prefix: str, epoch: int) -> dict[str, float]:
    """Return what is logged of an epoch: no two numbers are the same, but for the batches'."""
    base_s = {"train": 0.25, "val": 0.5}[prefix] + epoch / 8
    return {
        "epoch_time": base_s * 2 + 0.125,
        "num_batches": 2,
        "batch_mean": base_s,
        "batch_median": base_s * 0.9375,
        "batch_p95": base_s * 1.25,
        "batch_p99": base_s * 1.375,
        "batch_std": base_s / 16,
    }


def _fit(
    folder: Path,
    report: BaselineReportCallback,
    *,
    logs: Callback | None = None,
    **options: Any,
) -> Trainer:
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=EPOCHS,
        limit_train_batches=2,
        limit_val_batches=2,
        limit_test_batches=2,
        num_sanity_val_steps=0,
        default_root_dir=folder,
        logger=WandbLogger(project="baseline", save_dir=folder, **options),
        callbacks=[logs or LogsToTheLogger(), report],
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


def test_a_server_that_hangs_costs_a_training_its_limit_once_and_is_named(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    report = BaselineReportCallback(sources=["wandb-api"], wandb_timeout_s=LIMIT_S)
    wandb_server.hang_on = {"Run", "RunHistoryKeys", "HistoryPage", "RunFullHistory"}
    trainer = _fit(tmp_path, report)
    asked = [one for one in wandb_server.operations if one in wandb_server.hang_on]

    trainer.test(BoringModel(), verbose=False)

    assert asked
    assert [one for one in wandb_server.operations if one in wandb_server.hang_on] == asked
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


def test_a_whole_upload_is_read_back_when_the_fit_ends_and_agrees_with_what_was_logged(
    wandb_server: WandbServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(UPLOAD_INTERVAL, "1")
    report = BaselineReportCallback(sources=["wandb-api", "csv"], wandb_timeout_s=UPLOAD_S)

    _fit(tmp_path, report, logs=LogsEpochs(uploaded_to=wandb_server))

    baseline = _baseline(tmp_path)
    assert (baseline.run.source, baseline.run.status) == ("wandb-api", "finished")
    assert _failures(baseline) == {}
    assert not [text for text in baseline.measurement.warnings if "reach" in text]
    for stage, prefix in (("train", "train"), ("validation", "val")):
        expected: dict[str, float] = {}
        for epoch in range(EPOCHS):
            values = logged_values(prefix, epoch)
            expected |= {f"{epoch} total_s": values["epoch_time"]}
            expected |= {f"{epoch} batches": values["num_batches"]}
            expected |= {
                f"{epoch} {name}": values[f"batch_{name}"]
                for name in ("mean", "median", "p95", "p99", "std")
            }
        found = phase_numbers(baseline, stage)
        assert {name: found[name] for name in expected} == expected
        assert (found["epochs"], found["batches"]) == (EPOCHS, EPOCHS * 2)


def test_what_has_not_reached_the_server_when_the_fit_ends_comes_from_the_clients_summary(
    wandb_server: WandbServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(UPLOAD_INTERVAL, "60")
    report = BaselineReportCallback(sources=["wandb-api"], wandb_timeout_s=UPLOAD_S)

    _fit(tmp_path, report, logs=LogsEpochs())

    baseline = _baseline(tmp_path)
    assert _failures(baseline) == {}
    assert baseline.run.source == "wandb-api"
    assert any("had not reached the server" in text for text in baseline.measurement.warnings)
    for stage, prefix in (("train", "train"), ("validation", "val")):
        values = logged_values(prefix, EPOCHS - 1)
        phase = baseline.phase(stage)
        assert phase is not None
        assert phase.batch_time_s is not None
        assert phase.per_epoch[-1].total_s == values["epoch_time"]
        assert phase.batch_time_s.p99 == values["batch_p99"]
