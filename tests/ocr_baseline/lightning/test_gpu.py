"""What only a CUDA device can show; skipped where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader

from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback

if TYPE_CHECKING:
    from pathlib import Path

    from ocr_baseline.model.document import Baseline

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


class Multiplications(LightningModule):
    """Enough matrix products that the device lags behind the host."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4096, 4096)

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        for _ in range(4):
            batch = self.layer(batch)
        return batch.square().mean()

    def validation_step(self, batch: torch.Tensor, batch_idx: int) -> None:
        self.layer(batch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=1e-4)


@pytest.fixture
def baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Baseline:
    report = BaselineReportCallback(output_dir=tmp_path)
    trainer = Trainer(
        accelerator="gpu",
        devices=1,
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        callbacks=[PerformanceProfilerCallback(output_dir=tmp_path), report],
    )
    data = [torch.randn(4096) for _ in range(1024)]

    def refuse(*args: object) -> None:
        raise AssertionError("something synchronized the device")

    monkeypatch.setattr(torch.cuda, "synchronize", refuse)
    loader: DataLoader[torch.Tensor] = DataLoader(data, batch_size=16)  # type: ignore[arg-type]  # a list will do
    trainer.fit(Multiplications(), loader, loader)
    assert report.files is not None
    return report.files.baseline


def test_the_device_reports_its_own_time_of_training_steps(baseline: Baseline) -> None:
    phase = baseline.phase("train")
    assert phase is not None
    assert phase.device is not None
    assert phase.device.clock == "CUDA events (device)"
    lines = {line.name: line.total_s for line in phase.device.breakdown}
    assert lines["forward"] > 0
    assert lines["backward"] > lines["optimizer"] > 0


def test_how_busy_the_device_was_is_told_where_the_driver_can_be_asked(
    baseline: Baseline,
) -> None:
    pytest.importorskip("pynvml")
    assert baseline.memory is not None
    assert "accelerator_utilization" not in {entry.metric for entry in baseline.missing}


def test_the_allocators_peaks_are_in_the_report(baseline: Baseline) -> None:
    assert baseline.memory is not None
    accelerator = baseline.memory.accelerator
    assert accelerator is not None
    assert accelerator.allocated_peak_bytes is not None
    assert accelerator.total_bytes is not None
    assert 4096 * 4096 * 4 < accelerator.allocated_peak_bytes < accelerator.total_bytes
    assert baseline.environment.identity["accelerator_name"] == torch.cuda.get_device_name(0)
