"""Causes that only an accelerator shows, planted on one that is simulated."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch.profiler import record_function

from benchmarks.planted.case import planted_finding
from benchmarks.planted.simulated_device import GIB, Launching, SimulatedDevice
from benchmarks.planted.training import Classifier, Training, loader

STEP_S = 0.004
UTILIZATION_BATCHES = 1200
"""Twenty samples of the utilization, one a second, at some 20 ms a batch."""

OUT_OF_MEMORY = (
    "CUDA out of memory. Tried to allocate 8.00 GiB. GPU 0 has a total capacity of 80.00 GiB of "
    "which 2.00 GiB is free. Including non-PyTorch memory, this process has 78.00 GiB memory in "
    "use. Of the allocated memory 66.00 GiB is allocated by PyTorch, and 9.00 GiB is reserved by "
    "PyTorch but unallocated."
)


class OnDevice(Classifier):
    """A small network whose passes launch work on a simulated device."""

    def __init__(self, device: SimulatedDevice, step_s: float = STEP_S) -> None:
        """Hold the device; a step is `step_s` of work for it."""
        super().__init__(width=4)
        self.simulated = device
        self.step_s = step_s

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        """Return the loss, with a third of the work in the forward pass."""
        loss = super().training_step(batch, batch_idx)
        passed: torch.Tensor = Launching.apply(
            loss, self.simulated, self.step_s / 3, self.step_s * 2 / 3
        )
        return passed


def _training(module: OnDevice, *, batches: int = 60, **settings: Any) -> Training:
    return Training(
        module=module,
        train=settings.pop("train", None) or loader(batches * 2, batch_size=2),
        validation=loader(4),
        epochs=1,
        device=module.simulated,
        **settings,
    )


def _slowly(image: Any) -> Any:
    time.sleep(0.01)
    return image


@planted_finding("on a device: no batch is there", "device-data-wait:train")
def _waits_for_data(is_planted: bool) -> Training:
    images = loader(120, batch_size=2, transforms=[_slowly] if is_planted else [])
    return _training(OnDevice(SimulatedDevice(), step_s=0.008), train=images)


class QueuesLate(OnDevice):
    """Launches little by little, with work of the host's in between."""

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        """Return the loss."""
        for _ in range(10):
            time.sleep(0.001)
            self.simulated.launch(0.0001)
        return super().training_step(batch, batch_idx)


@planted_finding("on a device: launches that come late", "host-bound:train")
def _queues_late(is_planted: bool) -> Training:
    if is_planted:
        return _training(QueuesLate(SimulatedDevice()), batches=2 * UTILIZATION_BATCHES)
    return _training(OnDevice(SimulatedDevice(), step_s=0.02), batches=UTILIZATION_BATCHES)


class ReadsTheLoss(OnDevice):
    """Waits for the device in each step, as printing the loss does."""

    def shown_loss(self) -> None:
        """Wait for it, in a call that a profiler sees as CUDA's own."""
        with record_function("cudaStreamSynchronize"):
            self.simulated.synchronize()

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        """Return the loss."""
        loss = super().training_step(batch, batch_idx)
        self.shown_loss()
        return loss


@planted_finding(
    "on a device: a loss that is read in each step", "implicit-synchronization:train", "shown_loss"
)
def _reads_the_loss(is_planted: bool) -> Training:
    kind = ReadsTheLoss if is_planted else OnDevice
    return _training(kind(SimulatedDevice(), step_s=0.03), profiler={"profile_window": 3})


@planted_finding("on a device: few of the operations that it can do", "low-mfu:train")
def _few_operations(is_planted: bool) -> Training:
    device = SimulatedDevice(peak_flops_per_s=1e15 if is_planted else 1e6)
    module = OnDevice(device, step_s=0.025)
    return _training(module, batches=UTILIZATION_BATCHES, profiler={"count_flops": True})


class RunsOut(OnDevice):
    """Asks for more memory than there is."""

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        """Fail, as torch's allocator does."""
        if batch_idx == 20:
            raise torch.cuda.OutOfMemoryError(OUT_OF_MEMORY)
        return super().training_step(batch, batch_idx)


@planted_finding(
    "on a device: memory that runs out, in pieces", "out-of-memory", "expandable_segments"
)
def _runs_out(is_planted: bool) -> Training:
    return _training((RunsOut if is_planted else OnDevice)(SimulatedDevice()))


@planted_finding("on a device: memory that is nearly full", "accelerator-memory")
def _nearly_full(is_planted: bool) -> Training:
    used = (75 if is_planted else 40) * GIB
    device = SimulatedDevice(allocated_bytes=used, reserved_bytes=used + GIB)
    return _training(OnDevice(device))


@planted_finding("on a device: memory that is reserved and unused", "fragmentation")
def _fragmented(is_planted: bool) -> Training:
    device = SimulatedDevice(allocated_bytes=(40 if is_planted else 70) * GIB)
    device.reserved_bytes = 71 * GIB
    return _training(OnDevice(device))
