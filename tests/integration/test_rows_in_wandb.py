"""What the profiler logs to W&B beside a program's own rows, under the real client, offline."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import torch
import wandb
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.demos.boring_classes import BoringModel
from lightning.pytorch.loggers import WandbLogger
from torch.utils.data import DataLoader
from wandb.proto import wandb_internal_pb2

import ocr_baseline as ob
from ocr_baseline import PerformanceProfilerCallback
from ocr_baseline.sources.wandb.log import LogState, read_log

EPOCHS = 3
BATCHES = 5
WRITTEN_S = 60.0


class LogsByStep(Callback):
    """A program that numbers its rows by the optimizer's steps, as many do."""

    def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
        self._log(trainer, {"own/loss": 1.0})

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._log(trainer, {"own/epoch": trainer.current_epoch, "epoch": 100})

    def _log(self, trainer: Trainer, row: dict[str, Any]) -> None:
        trainer.loggers[0].experiment.log(row, step=trainer.global_step)  # type: ignore[attr-defined]  # W&B's


def fitted(folder: Path, *callbacks: Callback, **options: Any) -> Path:
    """Return the file of an offline run."""
    logger = WandbLogger(save_dir=folder, offline=True, project="rows", **options)
    trainer = Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        devices=1,
        default_root_dir=folder,
        callbacks=list(callbacks),
        logger=logger,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    rows: Any = torch.ones(BATCHES, 32)  # a tensor serves as a map of its rows
    trainer.fit(BoringModel(), DataLoader(rows), DataLoader(rows))
    wandb.finish()
    (file,) = (folder / "wandb").glob("offline-run-*/*.wandb")
    end_s = time.monotonic() + WRITTEN_S
    while "exit" not in [one.WhichOneof("record_type") for one in records_of(file)]:
        assert time.monotonic() < end_s, "W&B's service writes on after finish() has returned"
        time.sleep(0.1)
    return file


def records_of(file: Path) -> list[Any]:
    message: Any = wandb_internal_pb2.Record  # type: ignore[attr-defined]  # generated
    return [message.FromString(content) for content in read_log(file, LogState())]


def own_rows(file: Path) -> list[tuple[int, str, str]]:
    """Return the step, the key and the value of what the program logged itself."""
    found = []
    for record in records_of(file):
        if record.WhichOneof("record_type") == "history":
            history = record.history
            named = [
                ("/".join(item.nested_key) or item.key, item.value_json) for item in history.item
            ]
            found += [(history.step.num, *item) for item in named if item[0].startswith("own/")]
    return sorted(found)


def epochs_in(file: Path) -> dict[str, tuple[int | None, int | None]]:
    """Return the epochs and the batches of each phase, as they are read from W&B's file."""
    baseline = ob.read(str(file))
    return {phase.name: (phase.epochs, phase.batches) for phase in baseline.phases}


@pytest.mark.slow
def test_rows_that_a_program_numbers_itself_are_kept_beside_ours(tmp_path: Path) -> None:
    profiler = PerformanceProfilerCallback(log_interval=1, profile_memory=False)
    without = own_rows(fitted(tmp_path / "without", LogsByStep()))
    file = fitted(tmp_path / "with", profiler, LogsByStep())

    assert own_rows(file) == without
    assert len(without) == EPOCHS * (BATCHES + 1)
    # The program's own `epoch` is in the same rows, and is not ours.
    assert epochs_in(file)["train"] == (EPOCHS, EPOCHS * BATCHES)


@pytest.mark.slow
@pytest.mark.parametrize("prefix", ["", "own"])
def test_every_epoch_is_kept_where_the_program_logs_nothing(tmp_path: Path, prefix: str) -> None:
    profiler = PerformanceProfilerCallback(profile_memory=False)
    file = fitted(tmp_path, profiler, prefix=prefix)

    expected = (EPOCHS, EPOCHS * BATCHES)
    found = epochs_in(file)
    assert (found["train"], found["validation"]) == (expected, expected)
