"""A phase that was logged under its only dataloader is the phase, wherever one looks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.comparison.summary import summarize
from ocr_baseline.model.document import Baseline
from ocr_baseline.reports.run.markdown import render_markdown
from ocr_baseline.reports.sweep import SweepJob, render_sweep_csv, render_sweep_markdown
from ocr_baseline.sources import csv_logger

QUANTITIES = {"epoch_time": (1.0, 1.5), "num_batches": (10.0, 10.0), "num_samples": (20.0, 20.0)}


def logged(folder: Path, suffix: str) -> Baseline:
    """Return the baseline of a CSV in which validation took 75 ms a sample, training 50 ms."""
    values = {
        f"performance/{stage}_{quantity}{suffix}": both[place]
        for quantity, both in QUANTITIES.items()
        for place, stage in enumerate(("train", "val"))
    }
    file = folder / "metrics.csv"
    header, cells = ",".join(values), ",".join(map(str, values.values()))
    file.write_text(f"epoch,step,{header}\n0,10,{cells}\n")
    return analyze(csv_logger.load(file))


def single_spaced(table: str) -> str:
    return " ".join(table.split())


@pytest.fixture(params=["", "/dataloader_idx_0"], ids=["whole", "only loader"])
def baseline(request: pytest.FixtureRequest, tmp_path: Path) -> Baseline:
    return logged(tmp_path, request.param)


def test_validation_is_compared_with_training(baseline: Baseline) -> None:
    compared = baseline.train_vs_validation

    assert compared is not None
    assert compared.sample_ratio is not None
    assert compared.sample_ratio.value == pytest.approx(1.5)


def test_the_report_shows_its_time(baseline: Baseline) -> None:
    report = single_spaced(render_markdown(baseline))

    assert "**Time per Sample** | 50.0 ms | 75.0 ms |" in report
    assert "Validation takes 1.50 times as long per sample as training" in report


def test_a_comparison_reads_its_time(baseline: Baseline) -> None:
    assert summarize(baseline).values["validation.sample_time"] == pytest.approx(0.075)


def test_the_table_of_a_sweep_shows_its_time(baseline: Baseline) -> None:
    jobs = [SweepJob(name="0", baseline=baseline)]

    assert "| 50.0 ms | 75.0 ms | 1.50x |" in single_spaced(render_sweep_markdown(jobs))
    assert ",0.05,0.075," in render_sweep_csv(jobs)


def test_a_phase_of_several_dataloaders_is_none_of_them(tmp_path: Path) -> None:
    file = tmp_path / "metrics.csv"
    file.write_text(
        "epoch,performance/val_epoch_time/dataloader_idx_0,"
        "performance/val_epoch_time/dataloader_idx_1\n0,1.0,2.0\n"
    )

    assert analyze(csv_logger.load(file)).phase("validation") is None
