"""Kernels of a known duration in each line: does the report say what CUDA's events say?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.gpu_result import Result
from benchmarks.gpu_training import LINES, PlantedModule, loader, measured
from benchmarks.tables import Goal
from ocr_baseline.measure.device import EVERY_BATCHES

if TYPE_CHECKING:
    from benchmarks.gpu_device import Device

SECONDS = {"transfer": 0.004, "forward": 0.006, "backward": 0.012, "optimizer": 0.005}
BATCHES = 240
GOAL = 0.02


def measure(device: Device) -> Result:
    """Train with known kernels, waiting for the device after each batch so that clocks agree."""
    module = PlantedModule(device, SECONDS, waits=True)
    baseline = measured(device, module, loader(BATCHES if device.is_real else BATCHES // 4))
    phase = baseline.phase("train")
    if phase is None or phase.device is None or phase.batch_time_s is None:
        raise RuntimeError("the report has no time on the device's clock")
    told = {line.name: line.per_batch_s or 0.0 for line in phase.device.breakdown}
    true = {line: module.marks.mean_s(line, EVERY_BATCHES) for line in LINES}
    apart = {line: abs(told.get(line, 0.0) / true[line] - 1) for line in LINES}
    device_s, host_s = phase.device.batch_time_s.mean or 0.0, phase.batch_time_s.mean or 0.0
    return Result(
        header=["line", "events of our own, ms", "report, ms", "apart"],
        rows=[
            [line, f"{1e3 * true[line]:.3f}", f"{1e3 * told.get(line, 0.0):.3f}", f"{off:.2%}"]
            for line, off in apart.items()
        ],
        goals=[
            *(Goal(f"{line} against events, share", off, GOAL) for line, off in apart.items()),
            Goal(
                "device's clock against host's, share of a batch", abs(device_s / host_s - 1), GOAL
            ),
        ],
        notes=[
            f"{phase.device.batches} batches were timed by {phase.device.clock}; a batch took "
            f"{1e3 * device_s:.3f} ms there and {1e3 * host_s:.3f} ms on the host's clock."
        ],
    )
