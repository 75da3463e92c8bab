"""TensorBoard event folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ocr_baseline.errors import SourceError
from ocr_baseline.sources.tensorboard_events import load
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ocr_baseline.model.run import Run

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


KEY = "performance/val_epoch_time"


def _writer(folder: Path, name: str) -> Any:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), filename_suffix=f".{name}")


def _write(folder: Path, name: str, steps: Iterable[int], seconds: float = 10.0) -> Path:
    writer = _writer(folder, name)
    for step in steps:
        writer.add_scalar("epoch", step // 10, step)
        writer.add_scalar(KEY, seconds, step)
    writer.close()
    (file,) = folder.glob(f"*.{name}")
    return file


def _seconds(run: Run) -> list[float | None]:
    return [epoch.epoch_time_s for record in run.stages for epoch in record.reported]


def test_a_file_that_is_named_is_read_alone_and_its_folder_refused(tmp_path: Path) -> None:
    first = _write(tmp_path, "first", (9, 19), 10.0)
    second = _write(tmp_path, "second", (9, 19), 30.0)

    assert _seconds(load(first)) == [10.0, 10.0]
    assert _seconds(load(second)) == [30.0, 30.0]
    with pytest.raises(SourceError, match="of several runs") as refused:
        load(tmp_path)
    assert str(first) in str(refused.value)
    assert str(second) in str(refused.value)


def test_files_that_continue_each_other_are_one_run(tmp_path: Path) -> None:
    _write(tmp_path, "first", (9, 19), 10.0)
    _write(tmp_path, "second", (29, 39), 30.0)

    run = load(tmp_path)

    assert _seconds(run) == [10.0, 10.0, 30.0, 30.0]
    assert not run.measurement.warnings


def test_what_a_resumed_run_logs_again_counts_once_and_is_told(tmp_path: Path) -> None:
    _write(tmp_path, "first", (9, 19, 29), 10.0)
    _write(tmp_path, "second", (19, 29), 30.0)

    run = load(tmp_path)

    assert _seconds(run) == [10.0, 30.0, 30.0]
    assert any("values again" in warning for warning in run.measurement.warnings)


def test_a_writer_that_says_from_where_it_goes_on_replaces_what_came_after(tmp_path: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    _write(tmp_path, "first", (9, 19), 10.0)
    writer = SummaryWriter(str(tmp_path), purge_step=5, filename_suffix=".second")
    writer.add_scalar(KEY, 30.0, 9)
    writer.close()

    assert _seconds(load(tmp_path)) == [30.0]


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "int32", "int64", "uint8"])
@pytest.mark.parametrize("shape", [(), (1,)])
def test_a_scalar_is_read_from_a_tensor_of_any_type(
    kind: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.util.tensor_util import make_tensor_proto

    writer = _writer(tmp_path, "tensors")
    tensor = make_tensor_proto(np.full(shape, 10, dtype=kind))
    for step in range(2):
        value = Summary.Value(tag=KEY, tensor=tensor)
        writer._get_file_writer().add_summary(Summary(value=[value]), step)
    writer.add_scalar("performance/val_num_batches", 5, 1, new_style=True)
    writer.add_scalar("performance/val_batch_mean", 2.0, 1, double_precision=True)
    writer.close()

    (record,) = load(tmp_path).stages

    assert [epoch.epoch_time_s for epoch in record.reported] == [10.0, 10.0]
    assert record.reported[1].num_batches == 5
    assert record.reported[1].batch_mean_s == 2.0


def test_what_cannot_be_read_is_said_to_be_logged(tmp_path: Path) -> None:
    writer = _writer(tmp_path, "odd")
    writer.add_scalar("performance/val_epoch_time", 10.0, 1)
    writer.add_histogram("performance/val_batch_mean", np.arange(5.0), 1)
    writer.add_text("performance/val_num_batches", "five", 1)
    writer.close()

    missing = load(tmp_path).missing

    details = [entry.detail or "" for entry in missing if entry.reason == "failed"]
    assert len(details) == 1
    assert "an encoding that can't be read" in details[0]
