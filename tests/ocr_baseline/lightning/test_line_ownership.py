"""Whose line a stretch of time belongs to where two could claim it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.loggers import CSVLogger

from tests.ocr_baseline.lightning import tiny_runs as tiny
from tests.ocr_baseline.lightning.tiny_runs import loader, tiny_run, work

pytestmark = pytest.mark.usefixtures("simulated_clock")

OWN_LOG_MS = 5.0


class LoggerSlowForTheProfiler(CSVLogger):
    """Takes its time for the profiler's metrics alone."""

    def log_metrics(self, metrics: dict[str, Any], step: int | None = None) -> None:
        if any(key.startswith("performance/") for key in metrics):
            work(OWN_LOG_MS)
        super().log_metrics(metrics, step)


class LoggerSlowToSave(CSVLogger):
    """Writes its file when it is told to save, as many do."""

    def save(self) -> None:
        work(tiny.LOG_MS)
        super().save()


def fit_with_two_validation_loaders(trainer: Trainer, module: LightningModule) -> None:
    trainer.fit(module, loader(), [loader(6), loader(2)])


def test_each_validation_loader_has_a_start_of_its_own(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, fit_with_two_validation_loaders)

    lines_ms = run.lines_ms("validation")
    assert lines_ms["loader_startup"] == 2 * (tiny.SAMPLER_MS + 2 * tiny.ITEM_MS)
    assert lines_ms["data_wait"] == 2 * 2 * tiny.ITEM_MS
    run.check_totals()


def test_what_a_logger_takes_for_the_profilers_metrics_is_the_profilers_time(
    tmp_path: Path,
) -> None:
    run = tiny_run(tmp_path, logger=LoggerSlowForTheProfiler(str(tmp_path)))

    lines_ms = run.lines_ms("train")
    # The validation's metrics are logged while the training goes on, the training's after it.
    assert lines_ms["profiler"] == pytest.approx(OWN_LOG_MS, abs=0.1)
    assert "logging" not in lines_ms


def test_what_a_logger_takes_to_save_is_logging(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, logger=LoggerSlowToSave(str(tmp_path)))

    assert run.lines_ms("train")["logging"] == 4 * tiny.LOG_MS
    run.check_totals()
