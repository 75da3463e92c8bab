"""The metrics of a live trainer."""

from __future__ import annotations

import pytest

from ocr_baseline.model.run import RunInfo
from ocr_baseline.sources.logged.metrics import load
from ocr_baseline.vocabulary import Stage

INFO = RunInfo(source="logged-metrics", status="finished", id="r1")


def test_base_names_and_forks_of_a_trainer_make_one_epoch() -> None:
    torch = pytest.importorskip("torch")
    callback_metrics = {"performance/val_batch_mean": torch.tensor(0.5)}
    logged_metrics = {
        "performance/val_batch_mean_step": torch.tensor(0.75),
        "performance/val_batch_mean_epoch": torch.tensor(0.5),
        "performance/val_num_batches": torch.tensor(8.0),
        "loss": torch.tensor([1.0, 2.0]),
    }

    run = load(callback_metrics, logged_metrics, info=INFO)

    assert run.info is INFO
    (record,) = run.stages
    (epoch,) = record.reported
    assert record.stage is Stage.VALIDATION
    assert (epoch.epoch, epoch.batch_mean_s, epoch.num_batches) == (None, 0.5, 8)
    assert any("last" in warning for warning in run.measurement.warnings)


def test_a_trainer_that_logged_nothing_gives_a_run_without_stages() -> None:
    run = load({}, {}, info=INFO)

    assert run.stages == ()
    assert {"breakdown", "operations", "phases.validation"} <= {m.metric for m in run.missing}
