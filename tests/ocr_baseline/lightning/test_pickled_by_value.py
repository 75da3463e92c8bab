"""Classes of a script's own, which are pickled with the code of their methods, while a fit runs."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.profilers import SimpleProfiler
from lightning.pytorch.strategies import SingleDeviceStrategy
from torchmetrics import MeanMetric
from typing_extensions import override

from tests.ocr_baseline.lightning.tiny_runs import TinyModule, loader, tiny_run

pytestmark = pytest.mark.usefixtures("simulated_clock")


def classes() -> dict[str, Any]:
    """Of a function, as those of a script they are found under no name by who unpickles them."""

    class Logger(CSVLogger):
        @override
        def log_metrics(self, metrics: Any, step: int | None = None) -> None:
            super().log_metrics(metrics, step)

    class Profiler(SimpleProfiler):
        @override
        def start(self, action_name: str) -> None:
            super().start(action_name)

    class Strategy(SingleDeviceStrategy):
        @override
        def teardown(self) -> None:
            super().teardown()

    class Mean(MeanMetric):
        @override
        def update(self, value: Any, weight: Any = 1.0) -> None:
            super().update(value, weight)

    class Module(TinyModule):
        def __init__(self) -> None:
            super().__init__()
            self.mean = Mean()

        @override
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            self.mean.update(1.0)
            return super().training_step(batch, batch_idx)

    return {
        "logger": Logger,
        "profiler": Profiler,
        "strategy": Strategy,
        "metric": Mean,
        "module": Module,
    }


def test_classes_that_are_pickled_by_value_in_a_fit_work_here_and_in_another_process(
    tmp_path: Path, repository: Path
) -> None:
    kinds = classes()
    sent: dict[str, bytes] = {}

    class Sends(Callback):
        @override
        def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
            sent.update({name: cloudpickle.dumps(kind) for name, kind in kinds.items()})
            sent["instance"] = cloudpickle.dumps(pl_module)
            for pickled in sent.values():
                cloudpickle.loads(pickled)

    run = tiny_run(
        tmp_path,
        lambda trainer, module: trainer.fit(module, loader()),
        module=kinds["module"](),
        callbacks=[Sends()],
        logger=kinds["logger"](tmp_path / "log"),
        profiler=kinds["profiler"](),
        strategy=kinds["strategy"](device="cpu"),
        max_epochs=2,
    )
    (tmp_path / "sent").write_bytes(pickle.dumps(sent))
    received = subprocess.run(
        [sys.executable, __file__, str(tmp_path / "sent"), str(tmp_path / "other")],
        env=os.environ | {"PYTHONPATH": str(repository)},
        check=False,
        timeout=120,
    )

    assert run.ended_by is None
    assert run.phase("train").batches == 8
    assert received.returncode == 0


def use(sent: dict[str, bytes], folder: Path) -> None:
    """Do with the classes what they are for."""
    received = {name: cloudpickle.loads(pickled) for name, pickled in sent.items()}
    logger = received["logger"](folder)
    logger.log_metrics({"loss": 1.0}, 0)
    logger.save()
    assert "loss" in Path(logger.experiment.metrics_file_path).read_text()
    profiler = received["profiler"]()
    with profiler.profile("action"):
        pass
    assert len(profiler.recorded_durations["action"]) == 1
    received["strategy"](device=torch.device("cpu")).on_exception(ValueError("no run is here"))
    metric = received["metric"]()
    metric.update(3.0)
    assert metric.compute() == 3.0
    received["instance"].mean.update(5.0)


if __name__ == "__main__":
    use(pickle.loads(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2]))  # noqa: S301 - our own
