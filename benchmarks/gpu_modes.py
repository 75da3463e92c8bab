"""Ways to train on a card: each ends with a report on its clock, and trains what it would anyway.

Every mode is trained without the callbacks and with them from the same seed; the weights must end
alike, bit by bit, where the mode itself repeats.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import LightningModule, seed_everything
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import ocr_baseline
from benchmarks.gpu_result import Result
from benchmarks.gpu_training import measured, quieten, trainer
from benchmarks.tables import Goal
from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.gpu_device import Device

WIDTH = 512
BATCH_SIZE = 64
BATCHES = 60
DRY_BATCHES = 30


class Network(LightningModule):
    """Linear layers with activations: enough kernels for every mode, deterministic ones."""

    def __init__(self, *, compiles: bool = False, graphs: bool = False) -> None:
        """Make the layers; compiled, or captured as CUDA graphs once on the device."""
        super().__init__()
        layers: Any = nn.Sequential(
            nn.Linear(WIDTH, WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, 1),
        )
        self.layers = torch.compile(layers) if compiles else layers
        self._graphs = graphs

    def on_fit_start(self) -> None:
        """Capture the graphs where that was asked for."""
        if self._graphs:
            sample = torch.zeros(BATCH_SIZE, WIDTH, device=self.device)
            self.layers = torch.cuda.make_graphed_callables(self.layers, (sample,))

    def training_step(self, batch: list[torch.Tensor], batch_idx: int) -> torch.Tensor:
        """Return the loss, which is logged."""
        loss: torch.Tensor = self.layers(batch[0]).square().mean()
        self.log("loss", loss)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Plain gradient descent."""
        return torch.optim.SGD(self.parameters(), lr=0.01)


@dataclass(frozen=True, kw_only=True)
class Mode:
    """A way to train.

    Attributes:
        trainer: What the Trainer is given.
        loader: What the loader is given.
        profiler: What the profiler callback is given.
        makes: Makes the module.
        needs_cuda: Whether a dry run leaves it out.
    """

    trainer: dict[str, Any] = field(default_factory=dict)
    loader: dict[str, Any] = field(default_factory=dict)
    profiler: dict[str, Any] = field(default_factory=dict)
    makes: Callable[[], LightningModule] = Network
    needs_cuda: bool = False


MODES = {
    "32 bits": Mode(),
    "16-mixed": Mode(trainer={"precision": "16-mixed"}, needs_cuda=True),
    "bf16-mixed": Mode(trainer={"precision": "bf16-mixed"}),
    "gradient accumulation": Mode(trainer={"accumulate_grad_batches": 4}),
    "pinned memory, 2 workers": Mode(loader={"pin_memory": True, "num_workers": 2}),
    "torch.compile": Mode(makes=lambda: Network(compiles=True), needs_cuda=True),
    "CUDA graphs": Mode(makes=lambda: Network(graphs=True), needs_cuda=True),
    "profile window": Mode(profiler={"profile_window": 3}),
    "operations counted": Mode(profiler={"count_flops": True}),
}


def measure(device: Device) -> Result:
    """Train in each mode, without and with the callbacks, then until memory runs out."""
    rows, goals = [], []
    for name, mode in MODES.items():
        if mode.needs_cuda and not device.is_real:
            rows.append([name, "left out of a dry run", "", "", ""])
            continue
        try:
            row, is_good = _row(device, mode)
        except Exception as error:  # noqa: BLE001 - one mode that fails keeps no other from running
            row, is_good = [f"FAILED: {type(error).__name__}: {error}"[:200], "", "", ""], False
        rows.append([name, *row])
        goals.append(Goal(f"{name}: not as it should be", int(not is_good), 0))
    said = _out_of_memory(device)
    rows.append(["out of memory", said or "NO FINDING", "", "", ""])
    goals.append(Goal("out of memory: not said", int(said is None), 0))
    header = ["mode", "report", "same weights", "device, ms a batch", "warnings"]
    return Result(header=header, rows=rows, goals=goals)


def _row(device: Device, mode: Mode) -> tuple[list[str], bool]:
    alone = _weights(device, mode)
    seed_everything(1, verbose=False)
    module = mode.makes()
    baseline = measured(
        device, module, _loader(device, mode), profiler=mode.profiler, **mode.trainer
    )
    phase = baseline.phase("train")
    is_same = all(map(torch.equal, alone, _state(module)))
    batch_s = None if phase is None or phase.device is None else phase.device.batch_time_s.mean
    said: list[str] = [baseline.run.status]
    if mode.profiler.get("profile_window"):
        window = baseline.profile_window
        said.append("no window" if window is None else f"{len(window.kernels)} kernels")
        is_told = window is not None and bool(window.kernels or not device.is_real)
    elif mode.profiler.get("count_flops"):
        flops = None if phase is None else phase.flops
        mfu = "not measured" if flops is None or flops.mfu is None else f"{flops.mfu:.2%}"
        said.append("no count" if flops is None else f"MFU {mfu}")
        is_told = flops is not None
    else:
        is_told = batch_s is not None
    cells = [
        ", ".join(said),
        "yes" if is_same else "NO",
        "not measured" if batch_s is None else f"{1e3 * batch_s:.3f}",
        str(len(baseline.measurement.warnings)),
    ]
    return cells, is_told and is_same and baseline.run.status == "finished"


def _weights(device: Device, mode: Mode) -> list[torch.Tensor]:
    quieten()
    seed_everything(1, verbose=False)
    module = mode.makes()
    with tempfile.TemporaryDirectory() as name:
        fitting = trainer(device, Path(name), [], **mode.trainer)
        fitting.fit(module, _loader(device, mode))
    return _state(module)


def _state(module: LightningModule) -> list[torch.Tensor]:
    return [parameter.detach().cpu().clone() for parameter in module.parameters()]


def _loader(device: Device, mode: Mode) -> DataLoader[Any]:
    return batches_of(BATCHES if device.is_real else DRY_BATCHES, mode)


def batches_of(batches: int, mode: Mode) -> DataLoader[Any]:
    """Return a loader of so many batches, as the mode wants it."""
    generator = torch.Generator().manual_seed(2)
    items = TensorDataset(torch.randn(batches * BATCH_SIZE, WIDTH, generator=generator))
    return DataLoader(items, batch_size=BATCH_SIZE, **mode.loader)


class Greedy(Network):
    """Takes ever more memory, until there is none."""

    def __init__(self, total_bytes: int) -> None:
        """Take an eighth of `total_bytes` in each batch; 0 fails as a full card would."""
        super().__init__()
        self._part = total_bytes // 8
        self._kept: list[torch.Tensor] = []

    def training_step(self, batch: list[torch.Tensor], batch_idx: int) -> torch.Tensor:
        """Take more."""
        if not self._part:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        self._kept.append(torch.empty(self._part, dtype=torch.uint8, device=self.device))
        return super().training_step(batch, batch_idx)


def _out_of_memory(device: Device) -> str | None:
    """Return what the report says of a run that ran out of memory, None where it doesn't."""
    total = torch.cuda.get_device_properties().total_memory if device.is_real else 0
    with tempfile.TemporaryDirectory() as name, device.followed():
        folder = Path(name)
        callbacks = [
            PerformanceProfilerCallback(output_dir=folder),
            BaselineReportCallback(output_dir=folder, summary=False),
        ]
        module = Greedy(total)
        try:
            trainer(device, folder, list(callbacks)).fit(module, _loader(device, Mode()))
        except torch.cuda.OutOfMemoryError:
            pass
        finally:
            module._kept.clear()
        baseline = ocr_baseline.read(folder)
    found = next((one for one in baseline.findings if one.id == "out-of-memory"), None)
    if found is None:
        return None
    asked = [f"{item.metric.rpartition('.')[2]} {item.value:.0f}" for item in found.evidence]
    return f"{found.title} ({', '.join(asked)})"
