"""The report's utilization and memory against what nvidia-smi says meanwhile."""

from __future__ import annotations

import statistics
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.gpu_result import Result
from benchmarks.gpu_training import PlantedModule, loader, measured
from benchmarks.tables import Goal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.gpu_device import Device

BATCH_S = 0.02
BUSY = 0.6
BATCHES = 1100
KEPT_BYTES = 2 * 2**30
MIB = 2**20
GOAL_POINTS = 5
ASK = (
    "nvidia-smi",
    "--query-gpu=utilization.gpu,memory.used,memory.total",
    "--format=csv,noheader,nounits",
)


class HalfBusy(PlantedModule):
    """Keeps the device busy for a known share of each batch, and holds memory."""

    def on_fit_start(self) -> None:
        """Take memory of a known size."""
        size = KEPT_BYTES if self.device.type == "cuda" else 1
        self.kept = torch.zeros(size, dtype=torch.uint8, device=self.device)

    def training_step(self, batch: list[torch.Tensor], batch_idx: int) -> torch.Tensor:
        """Wait on the host for the rest of the batch."""
        time.sleep(BATCH_S * (1 - BUSY))
        return super().training_step(batch, batch_idx)


@contextmanager
def watched(readings: list[list[float]], device: Device) -> Iterator[None]:
    """Let nvidia-smi write down utilization and memory meanwhile, twice a second."""
    if not device.is_real:
        yield
        return
    command = [*ASK, f"--id={_card()}", "--loop-ms=500"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield
    finally:
        process.terminate()
        out, _ = process.communicate(timeout=10)
        for line in out.splitlines():
            cells = line.split(",")
            if len(cells) == 3:
                readings.append([float(cell) for cell in cells])


def _card() -> str:
    """Return the card as nvidia-smi knows it: CUDA_VISIBLE_DEVICES numbers cards anew."""
    uuid = getattr(torch.cuda.get_device_properties(), "uuid", None)
    return str(torch.cuda.current_device()) if uuid is None else f"GPU-{uuid}"


def measure(device: Device) -> Result:
    """Keep the device busy for a known share of the time, and compare."""
    seconds = {"transfer": 0.0, "forward": BATCH_S * BUSY / 3, "optimizer": 0.0}
    seconds["backward"] = 2 * seconds["forward"]
    readings: list[list[float]] = []
    module: Any = HalfBusy(device, seconds, waits=True)
    with watched(readings, device):
        baseline = measured(device, module, loader(BATCHES if device.is_real else 120))
    phase, memory = baseline.phase("train"), baseline.memory
    use = None if phase is None else phase.accelerator_utilization
    accelerator = None if memory is None else memory.accelerator
    if use is None or accelerator is None:
        raise RuntimeError("the report has no utilization: is nvidia-ml-py installed?")
    told = f"{use.mean_percent:.0f}% ({use.samples} samples)"
    rows = [["utilization", "planted", f"{BUSY:.0%}"], ["utilization", "report", told]]
    goals, notes = [], []
    reserved = accelerator.reserved_peak_bytes or 0.0
    rows.append(["memory, peak", "report: reserved", f"{reserved / MIB:.0f} MiB"])
    if readings:
        steady = readings[4:-2] or readings
        smi_percent = statistics.mean(one[0] for one in steady)
        smi_used = max(one[1] for one in readings) * MIB
        smi_total = readings[0][2] * MIB
        rows.insert(2, ["utilization", "nvidia-smi", f"{smi_percent:.0f}% ({len(steady)} samples)"])
        rows.append(["memory, peak", "nvidia-smi: used", f"{smi_used / MIB:.0f} MiB"])
        goals = [
            Goal(
                "utilization against nvidia-smi, points",
                abs(use.mean_percent - smi_percent),
                GOAL_POINTS,
            ),
            Goal("reserved memory beyond what nvidia-smi sees, bytes", reserved - smi_used, 0),
            Goal(
                "total memory against nvidia-smi's, share",
                abs((accelerator.total_bytes or 0.0) / smi_total - 1),
                0.05,
            ),
        ]
        notes.append(
            "What nvidia-smi sees beyond the reserved memory is CUDA's own context, and the memory "
            "of other processes on the card."
        )
    return Result(header=["what", "by", "value"], rows=rows, goals=goals, notes=notes)
