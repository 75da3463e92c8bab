"""A training whose passes are kernels of a known duration, with marks of its own around them."""

from __future__ import annotations

import logging
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.planted.simulated_device import Launching
from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lightning.pytorch import Callback

    from benchmarks.gpu_device import Device
    from ocr_baseline.model.document import Baseline

FEATURES = 64
BATCH_SIZE = 4
LINES = ("transfer", "forward", "backward", "optimizer")


class Marks:
    """Marks around work on a device, by the line that it belongs to."""

    def __init__(self, device: Device) -> None:
        """Begin with none."""
        self._device = device
        self._pairs: dict[str, list[tuple[Any, Any]]] = {line: [] for line in LINES}

    @contextmanager
    def around(self, line: str) -> Iterator[None]:
        """Mark the beginning and the end of a block."""
        begin = self._device.mark()
        yield
        self._pairs[line].append((begin, self._device.mark()))

    def mean_s(self, line: str, every: int) -> float:
        """Return the mean of a line's blocks in each `every`-th batch but the first.

        The device must be done.
        """
        took = [self._device.elapsed_s(*pair) for pair in self._pairs[line][every::every]]
        return sum(took) / len(took)


class MarkedWork:
    """Work on a device between marks; `Launching` launches through it."""

    def __init__(self, device: Device, marks: Marks) -> None:
        """Launch on `device`."""
        self._device = device
        self._marks = marks

    def of(self, line: str, seconds: float) -> None:
        """Launch work that belongs to a line."""
        with self._marks.around(line):
            self._device.launch(seconds)

    def launch(self, work: tuple[str, float]) -> None:
        """Launch what `Launching` was given."""
        self.of(*work)


class PlantedModule(LightningModule):
    """Its transfer, forward pass, backward pass and optimizer each take a known time."""

    def __init__(self, device: Device, seconds: dict[str, float], *, waits: bool = False) -> None:
        """Take the seconds of each of `LINES`; `waits` synchronizes after each batch."""
        super().__init__()
        self.layer = torch.nn.Linear(FEATURES, 1)
        self.marks = Marks(device)
        self.work = MarkedWork(device, self.marks)
        self.seconds = seconds
        self._synchronize = device.synchronize if waits else lambda: None

    def transfer_batch_to_device(self, batch: Any, device: Any, dataloader_idx: int) -> Any:
        """Move the batch, and take longer."""
        self.work.of("transfer", self.seconds["transfer"])
        return super().transfer_batch_to_device(batch, device, dataloader_idx)

    def training_step(self, batch: list[torch.Tensor], batch_idx: int) -> torch.Tensor:
        """Return a loss whose passes launch the work."""
        forward, backward = ((line, self.seconds[line]) for line in ("forward", "backward"))
        loss: torch.Tensor = Launching.apply(
            self.layer(batch[0]).square().mean(), self.work, forward, backward
        )
        return loss

    def on_train_batch_end(self, *args: Any) -> None:
        """Wait where that was asked for."""
        self._synchronize()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return one that takes longer."""
        return PlantedOptimizer(self.parameters(), self.work, self.seconds["optimizer"])


class PlantedOptimizer(torch.optim.SGD):
    """Launches work after its step."""

    def __init__(self, parameters: Any, work: MarkedWork, seconds: float) -> None:
        """Step by next to nothing."""
        super().__init__(parameters, lr=1e-6)
        self._work = work
        self._seconds = seconds

    def step(self, closure: Any = None) -> Any:
        """Step, then launch."""
        result = super().step(closure)
        self._work.of("optimizer", self._seconds)
        return result


def loader(batches: int, **settings: Any) -> DataLoader[Any]:
    """Return a loader of so many small batches."""
    items = TensorDataset(torch.zeros(batches * BATCH_SIZE, FEATURES))
    return DataLoader(items, batch_size=BATCH_SIZE, **settings)


def trainer(
    device: Device, folder: Path, callbacks: Sequence[Callback], **settings: Any
) -> Trainer:
    """Return a quiet trainer of one epoch on one device."""
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "num_sanity_val_steps": 0,
    }
    return Trainer(
        accelerator=device.accelerator,
        devices=1,
        max_epochs=1,
        default_root_dir=folder,
        callbacks=list(callbacks),
        **{**quiet, **settings},
    )


def measured(
    device: Device,
    module: LightningModule,
    loaded: DataLoader[Any],
    *,
    profiler: dict[str, Any] | None = None,
    **settings: Any,
) -> Baseline:
    """Train with the two callbacks and return the report.

    Raises:
        RuntimeError: When there is none.
    """
    quieten()
    with tempfile.TemporaryDirectory() as name, device.followed():
        folder = Path(name)
        report = BaselineReportCallback(output_dir=folder, summary=False)
        callbacks = [PerformanceProfilerCallback(output_dir=folder, **(profiler or {})), report]
        trainer(device, folder, callbacks, **settings).fit(module, loaded)
    if report.files is None:
        raise RuntimeError("the training ended without a report")
    return report.files.baseline


def quieten() -> None:
    """Let warnings and the framework's own messages go."""
    warnings.filterwarnings("ignore")
    for package in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(package).setLevel(logging.ERROR)
