"""Classes of a script's own, which are pickled with the code of their methods, while a fit runs."""

from __future__ import annotations

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


def test_classes_that_are_pickled_by_value_in_a_fit_work_where_they_are_unpickled(
    tmp_path: Path,
) -> None:
    kinds = classes()
    module = kinds["module"]()
    sent: dict[str, bytes] = {}

    class Sends(Callback):
        @override
        def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
            sent.update({name: cloudpickle.dumps(kind) for name, kind in kinds.items()})
            sent["instance"] = cloudpickle.dumps(pl_module)

    run = tiny_run(
        tmp_path,
        lambda trainer, module: trainer.fit(module, loader()),
        module=module,
        callbacks=[Sends()],
        logger=kinds["logger"](tmp_path / "log"),
        profiler=kinds["profiler"](),
        strategy=kinds["strategy"](device="cpu"),
    )
    received = {name: cloudpickle.loads(pickled) for name, pickled in sent.items()}

    assert run.ended_by is None
    assert run.phase("train").batches == 4
    logger = received["logger"](tmp_path / "other")
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
