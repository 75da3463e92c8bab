"""What measuring adds to a batch whose time is the device's, and that it waits for nothing."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning.pytorch import Callback
from torch.profiler import ProfilerActivity, profile

from benchmarks.gpu_result import Result
from benchmarks.gpu_training import PlantedModule, loader, quieten, trainer
from benchmarks.overhead_training import EmptyBatchCallback, SecondEmptyCallback, ours
from benchmarks.tables import Goal

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.gpu_device import Device

STEPS = {"5 ms": (0.005, 300), "100 ms": (0.1, 40)}
EMPTY = "an empty step"
EMPTY_BATCHES = 1500
ROUNDS = 3
WARMUP_BATCHES = 10
GOAL_SHARE = 0.002
WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize")
COUNTED_BATCHES = 40


class Clock(Callback):
    """Times the batches after warm-up, the device's last work included."""

    def __init__(self, device: Device) -> None:
        """Time nothing yet."""
        self._device = device
        self._began_s = 0.0
        self.batch_s = 0.0

    def on_train_batch_start(self, *args: Any) -> None:
        """Begin after warm-up."""
        if args[-1] == WARMUP_BATCHES:
            self._device.synchronize()
            self._began_s = time.perf_counter()

    def on_train_epoch_end(self, *args: Any) -> None:
        """End before the epoch's own work."""
        self._device.synchronize()
        batches = args[0].num_training_batches - WARMUP_BATCHES
        self.batch_s = (time.perf_counter() - self._began_s) / batches


class SynchronizationCounter(Callback):
    """Counts calls that wait for the device between two batches in the midst of an epoch."""

    def __init__(self, device: Device) -> None:
        """Count none yet."""
        activities = [ProfilerActivity.CPU]
        if device.is_real:
            activities.append(ProfilerActivity.CUDA)
        self._profile = profile(activities=activities)
        self.counts: Counter[str] = Counter()

    def on_train_batch_start(self, *args: Any) -> None:
        """Begin after warm-up, and end well before the epoch does."""
        if args[-1] == WARMUP_BATCHES:
            self._profile.start()
        elif args[-1] == WARMUP_BATCHES + COUNTED_BATCHES:
            self._profile.stop()
            events = self._profile.events() or []  # type: ignore[no-untyped-call]  # torch's gap
            # The profiler itself waits as it begins and as it ends: both runs have that.
            self.counts.update(event.name for event in events if event.name in WAITS)


def two_empty(folder: Path) -> list[Callback]:
    """Return what any callback costs."""
    return [EmptyBatchCallback(), SecondEmptyCallback()]


VARIANTS: dict[str, Callable[[Path], list[Callback]]] = {"two empty": two_empty, "ours": ours}


def overhead(device: Device) -> Result:
    """Time steps of the device with two empty callbacks and with ours, in turns."""
    quieten()
    rounds, part = (ROUNDS, 1) if device.is_real else (1, 10)
    rows, goals = [], []
    for name, (step_s, batches) in {**STEPS, EMPTY: (0.0, EMPTY_BATCHES)}.items():
        times: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
        for turn in range(rounds):
            order = list(VARIANTS) if turn % 2 == 0 else list(reversed(VARIANTS))
            for variant in order:
                took_s = _batch_s(device, step_s, max(20, batches // part), VARIANTS[variant])
                times[variant].append(took_s)
        empty_s, ours_s = (statistics.median(times[variant]) for variant in VARIANTS)
        share = ours_s / empty_s - 1
        rows.append(
            [name, f"{1e3 * empty_s:.4f}", f"{1e3 * ours_s:.4f}", f"{1e6 * (ours_s - empty_s):.1f}"]
        )
        if name in STEPS:
            goals.append(Goal(f"added to a step of {name}, share", share, GOAL_SHARE))
    return Result(
        header=["step", "two empty, ms", "ours, ms", "added, µs"],
        rows=rows,
        goals=goals,
        notes=[
            f"Medians of {rounds} rounds in turns, whole batches on the host's clock with the "
            "device's last work waited for. The empty step has no goal: it shows the host's cost."
        ],
    )


def _batch_s(
    device: Device, step_s: float, batches: int, made: Callable[[Path], list[Callback]]
) -> float:
    parts = {"transfer": 0.05, "forward": 0.3, "backward": 0.6, "optimizer": 0.05}
    module = PlantedModule(device, {line: step_s * part for line, part in parts.items()})
    clock = Clock(device)
    with tempfile.TemporaryDirectory() as name, device.followed():
        folder = Path(name)
        fitting = trainer(device, folder, [clock, *made(folder)])
        fitting.fit(module, loader(batches))
    return clock.batch_s


def synchronizations(device: Device) -> Result:
    """Count calls that wait for the device with two empty callbacks and with ours."""
    quieten()
    counted = {}
    for name, made in VARIANTS.items():
        counter = SynchronizationCounter(device)
        seconds = dict.fromkeys(("transfer", "forward", "backward", "optimizer"), 0.001)
        with tempfile.TemporaryDirectory() as folder, device.followed():
            callbacks = [counter, *made(Path(folder))]
            trainer(device, Path(folder), callbacks).fit(
                PlantedModule(device, seconds), loader(WARMUP_BATCHES + COUNTED_BATCHES + 10)
            )
        counted[name] = counter.counts
    added = sum(counted["ours"].values()) - sum(counted["two empty"].values())
    return Result(
        header=["call", *(f"{name}, {COUNTED_BATCHES} batches" for name in VARIANTS)],
        rows=[[call, *(str(counts[call]) for counts in counted.values())] for call in WAITS],
        goals=[Goal("calls that wait for the device, added", max(0, added), 0)],
    )
