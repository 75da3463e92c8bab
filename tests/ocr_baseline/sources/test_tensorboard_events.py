"""TensorBoard event folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ocr_baseline.errors import SourceError
from ocr_baseline.sources.tensorboard_events import load
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("tensorboard")


def _log(folder: Path) -> Path:
    loggers = pytest.importorskip("lightning.pytorch.loggers")
    logger = loggers.TensorBoardLogger(folder, name="receipts")
    logger.log_hyperparams({"lr": 0.1})
    for epoch, time_s in enumerate((2.5, 3.5)):
        step = 4 * epoch + 3
        logger.log_metrics({"loss": 1.0, "epoch": epoch}, step=step)
        logger.log_metrics({"performance/val_epoch_time": time_s, "epoch": epoch}, step=step)
        logger.log_metrics({"performance/val_num_batches": 8.0, "epoch": epoch}, step=step)
        logger.log_metrics({"performance/val_batch_mean": float("nan")}, step=step)
    logger.save()
    logger.finalize("success")
    return folder / "receipts" / "version_0"


def test_a_tensorboard_loggers_folder_is_read(tmp_path: Path) -> None:
    _log(tmp_path)

    run = load(tmp_path)

    assert run.info.source == "tensorboard"
    assert run.info.started_at is not None
    assert run.config == {"lr": 0.1}
    (record,) = run.stages
    assert record.stage is Stage.VALIDATION
    assert [(epoch.epoch, epoch.step) for epoch in record.reported] == [(0, 3), (1, 7)]
    assert [epoch.epoch_time_s for epoch in record.reported] == [2.5, 3.5]
    assert [epoch.num_batches for epoch in record.reported] == [8, 8]
    details = {entry.metric: entry.detail for entry in run.missing if entry.reason == "failed"}
    assert details == {
        "phases.validation.batch_time_s.mean": (
            "performance/val_batch_mean was logged as NaN in 2 of 2 epochs"
        )
    }


def test_a_file_cut_off_in_the_middle_gives_what_came_before(tmp_path: Path) -> None:
    folder = _log(tmp_path)
    (file,) = folder.glob("*tfevents*")
    file.write_bytes(file.read_bytes()[:-30])

    (record,) = load(folder).stages

    assert record.reported[0].epoch_time_s == 2.5


def test_a_folder_without_event_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no TensorBoard events"):
        load(tmp_path)


def test_an_event_file_that_holds_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "events.out.tfevents.1.host").write_bytes(b"no events")

    with pytest.raises(SourceError, match="no scalar that can be read"):
        load(tmp_path)
