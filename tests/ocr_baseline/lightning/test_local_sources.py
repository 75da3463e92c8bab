"""Where `BaselineReportCallback` looks for a run's numbers, and what it says of failures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import CSVLogger, Logger

from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback, record
from ocr_baseline.errors import SettingError
from ocr_baseline.model.document import Baseline
from tests.ocr_baseline.lightning.tiny_runs import TinyModule, loader, tiny_trainer

ALL = (
    "recorder",
    "logged-metrics",
    "csv",
    "tensorboard",
    "mlflow",
    "wandb-offline",
    "wandb-api",
)


class Logs(Callback):
    """Logs an epoch's validation time straight to the loggers, under any key."""

    def __init__(self, key: str = "performance/val_epoch_time") -> None:
        self.key = key

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for logger in trainer.loggers:
            seconds = trainer.current_epoch + 1.5
            metrics = {self.key: seconds, "epoch": float(trainer.current_epoch)}
            logger.log_metrics(metrics, trainer.global_step)


def reported(
    folder: Path, report: BaselineReportCallback, callbacks: list[Callback], **arguments: Any
) -> Baseline:
    trainer = tiny_trainer(folder, callbacks=[*callbacks, report], max_epochs=2, **arguments)
    trainer.fit(TinyModule(), loader(), loader(6))
    return Baseline.model_validate_json((folder / "baseline" / "baseline.json").read_text())


def failures(baseline: Baseline) -> dict[str, str]:
    return {
        entry.metric: str(entry.detail)
        for entry in baseline.missing
        if entry.metric.startswith("source ")
    }


def epochs_of(baseline: Baseline) -> list[tuple[int | None, float | None]]:
    (phase,) = [phase for phase in baseline.phases if phase.name == "validation"]
    return [(epoch.epoch, epoch.total_s) for epoch in phase.per_epoch]


def test_a_run_is_named_as_the_folder_of_its_logger(tmp_path: Path) -> None:
    logger = CSVLogger(tmp_path, version=3)

    baseline = reported(
        tmp_path, BaselineReportCallback(), [PerformanceProfilerCallback()], logger=logger
    )

    assert baseline.run.name == "lightning_logs/version_3"
    assert logger.log_dir == str(tmp_path / "lightning_logs" / "version_3")


@pytest.mark.parametrize(
    ("sources", "expected"),
    [(None, "recorder"), (["csv", "recorder"], "csv"), (["wandb-api", "recorder"], "recorder")],
)
def test_the_first_source_that_holds_anything_is_taken(
    tmp_path: Path, sources: list[str] | None, expected: str
) -> None:
    profiler = PerformanceProfilerCallback(profile_memory=False)

    baseline = reported(tmp_path, BaselineReportCallback(sources=sources), [profiler])

    assert baseline.run.source == expected
    assert failures(baseline) == {}
    assert {phase.name for phase in baseline.phases} == {"train", "validation"}


def test_the_usual_order_is_records_metrics_files_and_servers() -> None:
    assert BaselineReportCallback().sources == ALL


@pytest.mark.parametrize(
    ("sources", "problem"),
    [
        (["wandb"], "unknown source 'wandb'"),
        (["csv", "nope", "wandb"], "unknown source 'nope', 'wandb'"),
        (["csv", "csv"], "'csv' is listed twice"),
        ([], "the list is empty"),
        ("csv", "a list is needed, not 'csv'"),
    ],
)
def test_an_order_of_unknown_sources_is_refused(sources: Any, problem: str) -> None:
    with pytest.raises(SettingError, match=f"{problem}; choose from recorder, logged-metrics"):
        BaselineReportCallback(sources=sources)


def test_a_name_for_an_unknown_metric_is_refused() -> None:
    with pytest.raises(SettingError, match="performance/nothing"):
        BaselineReportCallback(metric_names={"mine": "performance/nothing"})


def test_metrics_under_names_of_the_projects_own_are_reported(tmp_path: Path) -> None:
    report = BaselineReportCallback(metric_names={"my/val_s": "performance/val_epoch_time"})

    baseline = reported(tmp_path, report, [Logs("my/val_s")])

    assert baseline.run.source == "csv"
    assert epochs_of(baseline) == [(0, 1.5), (1, 2.5)]


class Unsaved(CSVLogger):
    """A logger whose disk is full when the report asks for its file."""

    is_full = False

    def save(self) -> None:
        if self.is_full:
            self.is_full = False
            raise OSError(28, "No space left on device")
        super().save()


class FillDisk(Callback):
    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for logger in trainer.loggers:
            if isinstance(logger, Unsaved):
                logger.is_full = True


@pytest.fixture
def events(tmp_path: Path) -> Logger:
    pytest.importorskip("tensorboard")
    from lightning.pytorch.loggers import TensorBoardLogger

    return TensorBoardLogger(tmp_path, "tb")


def test_a_source_that_fails_is_named_with_its_cause_and_the_next_is_tried(
    tmp_path: Path, events: Logger
) -> None:
    loggers = [Unsaved(tmp_path, "csv"), events]

    baseline = reported(tmp_path, BaselineReportCallback(), [FillDisk(), Logs()], logger=loggers)

    assert baseline.run.source == "tensorboard"
    assert epochs_of(baseline) == [(0, 1.5), (1, 2.5)]
    assert failures(baseline) == {"source csv": "OSError: [Errno 28] No space left on device"}


class TwoLoaders(TinyModule):
    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        self.log("performance/val_epoch_time", 2.0)
        super().validation_step(batch, batch_idx, dataloader_idx)


def test_a_stage_logged_for_each_dataloader_alone_is_not_called_missing(tmp_path: Path) -> None:
    report = BaselineReportCallback()
    trainer = tiny_trainer(tmp_path, callbacks=[report])

    trainer.fit(TwoLoaders(), loader(), [loader(6), loader(4)])

    baseline = Baseline.model_validate_json((tmp_path / "baseline" / "baseline.json").read_text())
    assert [phase.dataloader for phase in baseline.phases] == [0, 1]
    assert "phases.train" in {entry.metric for entry in baseline.missing}
    assert "phases.validation" not in {entry.metric for entry in baseline.missing}


def test_the_last_values_of_a_trainer_are_of_no_epoch_in_particular(tmp_path: Path) -> None:
    class LogsOnce(TinyModule):
        def on_validation_epoch_end(self) -> None:
            if self.trainer.current_epoch == 0:
                self.log("performance/val_epoch_time", 2.0)

    trainer = tiny_trainer(tmp_path, callbacks=[BaselineReportCallback()], max_epochs=2)

    trainer.fit(LogsOnce(), loader(), loader(6))

    baseline = Baseline.model_validate_json((tmp_path / "baseline" / "baseline.json").read_text())
    assert baseline.run.source == "logged-metrics"
    assert epochs_of(baseline) == [(None, 2.0)]


class RaisesInSetup(Callback):
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        raise RuntimeError("no data")


def test_a_profiler_that_was_never_set_up_here_is_not_asked_for_but_its_records_are_pointed_to(
    tmp_path: Path,
) -> None:
    """As of the process that starts others: an exception in those is told to it alone."""
    ours = [RaisesInSetup(), PerformanceProfilerCallback(), BaselineReportCallback()]
    trainer = tiny_trainer(tmp_path, callbacks=ours)
    with pytest.raises(RuntimeError, match="no data"):
        trainer.fit(TinyModule(), loader())

    folder = tmp_path / "baseline"
    baseline = Baseline.model_validate_json((folder / "baseline.json").read_text())
    assert f"ocr-baseline report --run-dir {folder}" in failures(baseline)["source recorder"]
    details = [str(entry.detail) for entry in baseline.missing]
    assert not any("add PerformanceProfilerCallback" in detail for detail in details)


@pytest.mark.parametrize("root", ["memory://runs/1", "file://{folder}/outputs"])
def test_a_root_at_an_address_makes_no_folder_of_that_name(
    root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        default_root_dir=root.format(folder=tmp_path),
        callbacks=[PerformanceProfilerCallback(), BaselineReportCallback()],
    )
    trainer.fit(TinyModule(), loader())

    within = "outputs" if root.startswith("file") else "."
    assert (tmp_path / within / "baseline" / "baseline.json").is_file()
    assert [entry.name for entry in tmp_path.iterdir() if ":" in entry.name] == []


@pytest.mark.parametrize("made", [PerformanceProfilerCallback, BaselineReportCallback, record])
def test_an_output_folder_at_an_address_is_refused(made: Any) -> None:
    with pytest.raises(ValueError, match=r"a folder on this machine, not one at s3:"):
        made(output_dir="s3://key:secret@bucket/run")
