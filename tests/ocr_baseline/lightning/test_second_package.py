"""The framework under its second name, `pytorch_lightning`: the same report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback

pl = pytest.importorskip("pytorch_lightning")
lightning = pytest.importorskip("lightning.pytorch")
pytest.importorskip("lightning.pytorch.demos.boring_classes")
pytest.importorskip("pytorch_lightning.demos.boring_classes")


def report_under(package: Any, folder: Path) -> dict[str, Any]:
    class Manual(package.LightningModule):  # type: ignore[misc]  # one of two
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, 1)
            self.automatic_optimization = False

        def training_step(self, batch: Any, batch_idx: int) -> None:
            optimizer = self.optimizers()
            optimizer.zero_grad()
            loss = self.layer(batch[0]).pow(2).mean()
            self.manual_backward(loss)
            optimizer.step()
            self.log("loss", loss)

        def validation_step(self, batch: Any, batch_idx: int) -> None:
            self.layer(batch[0])

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    class SubTrainer(package.Trainer):  # type: ignore[misc]  # one of two
        pass

    callbacks = [
        PerformanceProfilerCallback(profile_memory=False),
        BaselineReportCallback(),
        package.callbacks.ModelCheckpoint(folder / "checkpoints"),
    ]
    trainer = SubTrainer(
        max_epochs=2,
        accelerator="cpu",
        devices=1,
        default_root_dir=folder,
        callbacks=callbacks,
        logger=package.loggers.CSVLogger(folder),
        log_every_n_steps=1,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=1,
    )
    data = DataLoader(TensorDataset(torch.ones(8, 4)), batch_size=2)
    trainer.fit(Manual(), data, data)
    document: dict[str, Any] = json.loads((folder / "baseline" / "baseline.json").read_text())
    return document


def measured(document: dict[str, Any]) -> list[tuple[str, int, int, set[str]]]:
    return [
        (
            phase["name"],
            phase["batches"],
            phase["samples"],
            {line["name"] for line in phase["breakdown"] if line["total_s"]},
        )
        for phase in document["phases"]
    ]


def test_both_packages_are_measured_alike_and_the_report_names_the_one_that_ran(
    tmp_path: Path,
) -> None:
    first = report_under(lightning, tmp_path / "lightning")
    second = report_under(pl, tmp_path / "pytorch_lightning")

    assert measured(first) == measured(second)
    assert {"backward", "logging", "optimizer", "checkpoint"} <= measured(first)[0][3]
    assert first["environment"]["identity"]["lightning"] == lightning.__version__
    assert "pytorch-lightning" not in first["environment"]["identity"]
    assert second["environment"]["identity"]["pytorch-lightning"] == pl.__version__
    assert second["environment"]["identity"].get("lightning") is None


def test_the_callbacks_are_callbacks_of_both_packages() -> None:
    assert isinstance(PerformanceProfilerCallback(), pl.Callback)
    assert isinstance(BaselineReportCallback(), lightning.Callback)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("logger", "source"),
    [("CSVLogger", "csv"), ("TensorBoardLogger", "tensorboard"), ("WandbLogger", "wandb-offline")],
)
@pytest.mark.parametrize("package", [lightning, pl], ids=["lightning", "pytorch_lightning"])
def test_what_a_logger_of_either_package_holds_is_reported(
    package: Any, logger: str, source: str, tmp_path: Path
) -> None:
    class Logs(package.callbacks.Callback):  # type: ignore[misc]  # one of two
        def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            values = {"performance/val_epoch_time": 1.5, "epoch": trainer.current_epoch}
            trainer.logger.log_metrics(values, trainer.global_step)

    arguments = {"offline": True, "project": "tiny"} if logger == "WandbLogger" else {}
    trainer = package.Trainer(
        max_epochs=1,
        accelerator="cpu",
        devices=1,
        default_root_dir=tmp_path,
        callbacks=[Logs(), BaselineReportCallback(sources=[source])],
        logger=getattr(package.loggers, logger)(save_dir=tmp_path, **arguments),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    data: Any = torch.ones(8, 32)  # a tensor serves as a map of its rows
    trainer.fit(package.demos.boring_classes.BoringModel(), DataLoader(data))

    document = json.loads((tmp_path / "baseline" / "baseline.json").read_text())
    assert document["run"]["source"] == source
    assert [phase["name"] for phase in document["phases"]] == ["validation"]
