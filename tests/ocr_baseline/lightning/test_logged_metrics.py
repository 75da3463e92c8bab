"""What the profiler logs, and what the report makes of logged metrics alone."""

from __future__ import annotations

import csv
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import CSVLogger

from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback
from ocr_baseline.model.document import Baseline
from tests.ocr_baseline.lightning import tiny_runs as tiny
from tests.ocr_baseline.lightning.tiny_runs import (
    TinyModule,
    TinyRun,
    loader,
    tiny_run,
    tiny_trainer,
)

pytestmark = pytest.mark.slow

STATISTICS = ("mean", "median", "p95", "p99", "std")


def csv_rows(run: TinyRun) -> list[dict[str, str]]:
    """The rows of the CSV logger, without empty cells."""
    path = next(run.folder.glob("csv/version_*/metrics.csv"))
    with path.open(newline="") as lines:
        return [{k: v for k, v in row.items() if v} for row in csv.DictReader(lines)]


def logged(run: TinyRun, stage: str) -> list[dict[str, float]]:
    """The profiler's rows of a stage, with its prefix taken off."""
    prefix = f"performance/{stage}_"
    return [
        {key.removeprefix(prefix): float(value) for key, value in row.items()}
        for row in csv_rows(run)
        if f"{prefix}epoch_time" in row
    ]


def fit_and_test(trainer: Trainer, module: LightningModule) -> None:
    tiny.fit(trainer, module)
    trainer.test(module, loader(12), verbose=False)


def test_a_logger_that_draws_at_our_rows_leaves_the_trainings_random_numbers(
    tmp_path: Path,
) -> None:
    class Draws(CSVLogger):
        def log_metrics(self, metrics: Any, step: int | None = None) -> None:
            if any(key.startswith("performance/") for key in metrics):
                drawn.append((torch.rand(1), random.random(), np.random.rand()))  # noqa: S311 - no secret
            super().log_metrics(metrics, step)

    def next_numbers(kind: type[CSVLogger]) -> tuple[float, ...]:
        tiny_run(tmp_path, logger=kind(tmp_path, name=kind.__name__))
        return torch.rand(1).item(), random.random(), np.random.rand()  # noqa: S311 - no secret

    drawn: list[Any] = []
    assert next_numbers(Draws) == next_numbers(CSVLogger)
    assert drawn


def test_what_a_thread_draws_while_a_logger_of_lightnings_waits_is_never_drawn_again(
    tmp_path: Path,
) -> None:
    logger = CSVLogger(tmp_path, name="waits")
    write = logger.experiment.log_metrics
    drawn: list[float] = []

    def wait_and_write(metrics: Any, step: int | None = None) -> None:
        thread = threading.Thread(target=lambda: drawn.append(random.random()))  # noqa: S311 - no secret
        thread.start()
        thread.join()
        write(metrics, step)

    logger.experiment.log_metrics = wait_and_write
    tiny_run(tmp_path, logger=logger, max_epochs=3)

    assert len(drawn) > 3
    assert len(set(drawn)) == len(drawn)


@pytest.mark.usefixtures("simulated_clock")
def test_each_epoch_of_each_stage_is_logged_under_the_known_keys(tmp_path: Path) -> None:
    run = tiny_run(
        tmp_path,
        fit_and_test,
        max_epochs=2,
        profiling=PerformanceProfilerCallback(profile_memory=True),
    )

    for stage, epochs, batches in (("train", 2, 4), ("val", 2, 3), ("test", 1, 6)):
        rows = logged(run, stage)
        assert len(rows) == epochs
        for epoch, row in enumerate(rows):
            assert row["num_batches"] == batches
            assert row["num_samples"] == 2 * batches
            assert {f"batch_{name}" for name in STATISTICS} - {"batch_std"} <= row.keys()
            assert 0 < row["performance/cpu_memory_percent"] <= 100
            assert row["epoch"] == (epoch if stage != "test" else 2)
    train, validation = run.phase("train"), run.phase("validation")
    assert sum(row["epoch_time"] for row in logged(run, "train")) == pytest.approx(train.total_s)
    assert sum(row["epoch_time"] for row in logged(run, "val")) == pytest.approx(validation.total_s)


@pytest.mark.usefixtures("simulated_clock")
def test_logged_statistics_are_of_steady_batches(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, lambda t, m: t.fit(m, loader(16)))

    (row,) = logged(run, "train")
    batch_s = (
        2 * tiny.ITEM_MS
        + tiny.TRANSFER_MS
        + tiny.TRAIN_STEP_MS
        + tiny.BACKWARD_MS
        + tiny.OPTIMIZER_MS
        + tiny.LOG_MS
    ) * 1e-3
    for name in ("mean", "median", "p95", "p99"):
        assert row[f"batch_{name}"] == pytest.approx(batch_s)
    assert row["batch_std"] == pytest.approx(0.0, abs=1e-12)


def test_memory_is_not_logged_when_it_is_not_profiled(tmp_path: Path) -> None:
    run = tiny_run(tmp_path)

    assert not any("memory" in key for row in csv_rows(run) for key in row)


def test_the_sanity_check_logs_nothing(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, num_sanity_val_steps=2)

    assert len(logged(run, "val")) == 1


@pytest.mark.usefixtures("simulated_clock")
def test_logging_the_profilers_own_metrics_is_the_profilers_cost(tmp_path: Path) -> None:
    class CostsTime(CSVLogger):
        def log_metrics(self, metrics: dict[str, Any], step: int | None = None) -> None:
            if any(key.startswith("performance/") for key in metrics):
                tiny.work(30)
            super().log_metrics(metrics, step)

    run = tiny_run(tmp_path, logger=CostsTime(str(tmp_path)))

    assert run.lines_ms("train")["profiler"] == 30.0
    assert "logging" not in run.lines_ms("validation")


class Foreign(Callback):
    """A profiler of somebody else's, with the keys and the units of the known ones."""

    def __init__(self, log: Callable[[Trainer, LightningModule, dict[str, float]], None]) -> None:
        self.log_through = log

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.sanity_checking:
            self.log_through(
                trainer,
                pl_module,
                {
                    "performance/val_epoch_time": 12.5,
                    "performance/val_num_batches": 34.0,
                    "performance/val_batch_mean": 0.25,
                    "performance/val_batch_median": 0.2,
                    "performance/val_batch_p95": 0.5,
                    "performance/val_batch_p99": 0.75,
                    "performance/val_batch_std": 0.1,
                },
            )


def through_the_module(
    trainer: Trainer, module: LightningModule, metrics: dict[str, float]
) -> None:
    for key, value in metrics.items():
        module.log(key, value, on_epoch=True)


def through_the_logger(
    trainer: Trainer, module: LightningModule, metrics: dict[str, float]
) -> None:
    assert trainer.logger is not None
    trainer.logger.log_metrics(metrics, step=trainer.global_step)


def reported_alone(
    folder: Path, callbacks: list[Callback], **arguments: Any
) -> tuple[Baseline, BaselineReportCallback]:
    """Fit with the report callback and without the profiler."""
    report = BaselineReportCallback()
    trainer = tiny_trainer(folder, callbacks=[*callbacks, report], **arguments)
    trainer.fit(TinyModule(), loader(), loader(6))
    return Baseline.model_validate_json((folder / "baseline" / "baseline.json").read_text()), report


@pytest.mark.parametrize("log", [through_the_module, through_the_logger])
def test_a_foreign_profilers_metrics_are_reported_as_they_are(
    log: Callable[..., None], tmp_path: Path
) -> None:
    baseline, report = reported_alone(tmp_path, [Foreign(log)])

    (phase,) = baseline.phases
    assert (phase.name, phase.batches) == ("validation", 34)
    assert phase.total_s == pytest.approx(12.5)
    times = phase.batch_time_s
    assert times is not None
    assert [times.mean, times.median, times.p95, times.p99, times.std] == pytest.approx(
        [0.25, 0.2, 0.5, 0.75, 0.1]
    )
    assert baseline.run.status == "finished"
    assert baseline.run.source in {"logged-metrics", "csv"}
    assert report.files is not None
    assert report.files.markdown is not None
    assert "12.5" in report.files.markdown.read_text()


def test_without_any_metrics_the_report_says_that_nothing_was_measured(tmp_path: Path) -> None:
    baseline, report = reported_alone(tmp_path, [])

    assert baseline.phases == []
    assert baseline.findings == []
    (entry,) = [entry for entry in baseline.missing if entry.metric == "phases"]
    assert entry.reason == "not_collected"
    assert report.files is not None
    assert report.files.markdown is not None
    assert "not measured" in report.files.markdown.read_text()


@pytest.mark.parametrize("arguments", [{"logger": False}, {"fast_dev_run": True}], ids=str)
def test_without_a_logger_the_report_alone_says_that_nothing_was_measured(
    arguments: dict[str, Any], tmp_path: Path
) -> None:
    baseline, _ = reported_alone(tmp_path, [], **arguments)

    assert baseline.phases == []


def test_the_report_goes_where_it_was_told(tmp_path: Path) -> None:
    report = BaselineReportCallback(output_dir=tmp_path / "elsewhere")
    profiling = PerformanceProfilerCallback(profile_memory=False, output_dir=tmp_path / "elsewhere")

    tiny_run(tmp_path / "run", report=report, profiling=profiling)

    names = {path.name for path in (tmp_path / "elsewhere").iterdir()}
    assert {"baseline.md", "baseline.json", "metrics.csv", "records"} <= names
    assert not (tmp_path / "run" / "baseline").exists()


@pytest.mark.parametrize("whose", ["report", "profiling"])
def test_a_folder_that_one_of_the_callbacks_was_given_is_that_of_both(
    whose: str, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    given: dict[str, Path | None] = {"report": None, "profiling": None, whose: folder}
    report = BaselineReportCallback(output_dir=given["report"])
    profiling = PerformanceProfilerCallback(profile_memory=False, output_dir=given["profiling"])

    tiny_run(tmp_path / "run", report=report, profiling=profiling)

    assert {"baseline.json", "records"} <= {path.name for path in folder.iterdir()}
    assert not (tmp_path / "run" / "baseline").exists()


def test_metrics_of_this_run_are_not_taken_from_an_earlier_one_in_the_same_trainer(
    tmp_path: Path,
) -> None:
    """A run without measurements must not show another run's numbers."""
    tiny_run(tmp_path)
    (tmp_path / "baseline" / "baseline.json").unlink()

    baseline, _ = reported_alone(tmp_path, [])

    assert baseline.phases == []


@pytest.mark.parametrize("value", [-1, -0.5])
def test_wrong_arguments_are_refused_at_once(value: float) -> None:
    with pytest.raises(ValueError, match="log_interval"):
        PerformanceProfilerCallback(log_interval=value)  # type: ignore[arg-type]  # a fraction is as wrong
    with pytest.raises(ValueError, match="wandb_timeout_s"):
        BaselineReportCallback(wandb_timeout_s=value)
