"""One run, recorded by everything at once, reads the same from each source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.records import reader
from ocr_baseline.sources import csv_logger, tensorboard_events
from ocr_baseline.sources.source import ReadOptions
from ocr_baseline.sources.wandb import api as wandb_api
from ocr_baseline.sources.wandb import offline as wandb_offline
from tests.integration.phase_numbers import phase_numbers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ocr_baseline.model.run import Run
    from tests.integration.wandb_server import WandbServer

pytest.importorskip("lightning")
pytest.importorskip("tensorboard")

BATCHES = 6
EPOCHS = 2


def _train(folder: Path) -> str:
    """Train a tiny model under three loggers; return the W&B run's id."""
    import wandb
    from lightning.pytorch import Trainer, seed_everything
    from lightning.pytorch.demos.boring_classes import BoringModel
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger, WandbLogger

    from ocr_baseline import PerformanceProfilerCallback

    seed_everything(0)
    wandb_logger = WandbLogger(project="baseline", save_dir=folder)
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=EPOCHS,
        limit_train_batches=BATCHES,
        limit_val_batches=BATCHES,
        default_root_dir=folder,
        logger=[CSVLogger(folder, "csv"), TensorBoardLogger(folder, "tb"), wandb_logger],
        callbacks=[PerformanceProfilerCallback()],
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(BoringModel())
    run_id = str(wandb_logger.experiment.id)
    wandb_logger.experiment.finish()
    # The client writes the end of its own file when its service ends.
    wandb.teardown()
    return run_id


@pytest.fixture
def trained(wandb_server: WandbServer, tmp_path: Path) -> tuple[str, Path]:
    return _train(tmp_path), tmp_path


@pytest.mark.parametrize("name", ["csv", "tensorboard", "wandb-api", "wandb-offline"])
def test_a_source_gives_what_the_recorder_measured(trained: tuple[str, Path], name: str) -> None:
    run_id, folder = trained
    load: dict[str, Callable[[], Run]] = {
        "csv": lambda: csv_logger.load(folder / "csv"),
        "tensorboard": lambda: tensorboard_events.load(folder / "tb"),
        "wandb-offline": lambda: wandb_offline.load(folder),
        "wandb-api": lambda: wandb_api.load(run_id, ReadOptions(project="baseline")),
    }

    recorded, read = analyze(reader.load(folder)), analyze(load[name]())

    assert read.run.source == name
    for phase in ("train", "validation"):
        expected = phase_numbers(recorded, phase)
        # TensorBoard holds 32-bit floats: 7 digits.
        assert phase_numbers(read, phase) == pytest.approx(expected, rel=1e-6)
        assert expected["epochs"] == EPOCHS
