"""Steps that torch compiles: they run, and compile to as many graphs as without the callbacks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch._dynamo.utils import counters
from torch.utils.data import DataLoader, IterableDataset
from typing_extensions import override

from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback


class Items(IterableDataset[torch.Tensor]):
    @override
    def __iter__(self) -> Iterator[torch.Tensor]:
        return iter([torch.ones(4)] * 4)


class Logs(LightningModule):
    """Logs in its step, with a batch size that nothing else knows."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    @override
    def training_step(self, batch: torch.Tensor, batch_idx: int) -> Any:
        loss = self.layer(batch).sum()
        self.log("loss", loss, batch_size=2)
        return loss * 2

    @override
    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def trained(folder: Path, *callbacks: Callback) -> tuple[int, list[float]]:
    """Train; return how many graphs the step compiled to, and the weights."""
    torch._dynamo.reset()
    counters.clear()
    torch.manual_seed(0)
    module = Logs()
    compiled: Any = torch.compile(module, backend="eager")
    trainer = Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=list(callbacks),
    )
    trainer.fit(compiled, DataLoader(Items(), collate_fn=torch.stack))
    return counters["stats"]["unique_graphs"], module.layer.weight.flatten().tolist()


@pytest.mark.slow
def test_a_compiled_step_that_logs_has_the_same_graphs_and_weights(tmp_path: Path) -> None:
    without = trained(tmp_path / "without")
    measured = trained(tmp_path / "with", PerformanceProfilerCallback(), BaselineReportCallback())

    assert without[0] > 0
    assert measured == without


@pytest.mark.slow
def test_torch_warns_of_nothing_in_compiled_code_that_logs(tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trained(tmp_path, PerformanceProfilerCallback(), BaselineReportCallback())

    assert [one for one in caught if "Dynamo" in str(one.message)] == []
