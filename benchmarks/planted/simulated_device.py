"""A device that is not there: it does what is launched on it in order and in real time.

Where no accelerator is at hand, this stands in for one: the recorder marks it, samples its memory
and asks how busy it is, as it does of a CUDA device.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from ocr_baseline.lightning.attach import batch_probes
from ocr_baseline.lightning.run import run_records
from ocr_baseline.measure.device import DeviceTimeline
from ocr_baseline.measure.memory import AcceleratorSample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.records.format import AcceleratorPeaksJson

GIB = 2**30
MOST_AHEAD_S = 0.05
"""A launch waits for room in the queue, as CUDA's do."""


class SimulatedDevice:
    """Takes launches and marks as a stream does; `waits` counts what made the host stand still.

    Attributes:
        allocated_bytes: What its tensors take.
        reserved_bytes: What its allocator holds.
        total_bytes: Its memory.
        peak_flops_per_s: What it can do.
    """

    name = "a simulated device's clock"

    def __init__(
        self,
        *,
        allocated_bytes: int = 40 * GIB,
        reserved_bytes: int = 44 * GIB,
        total_bytes: int = 80 * GIB,
        peak_flops_per_s: float = 1e9,
    ) -> None:
        """Begin with nothing to do."""
        self.allocated_bytes = allocated_bytes
        self.reserved_bytes = reserved_bytes
        self.total_bytes = total_bytes
        self.peak_flops_per_s = peak_flops_per_s
        self.waits = 0
        self._free_at_s = 0.0
        self._busy_s = 0.0
        self._asked_at_s = time.perf_counter()
        self._busy_when_asked_s = 0.0

    # -- what a program does with it -------------------------------------------------------

    def launch(self, seconds: float) -> None:
        """Queue work of so many seconds, as a kernel is queued; the host goes on at once."""
        time.sleep(max(0.0, self._free_at_s - time.perf_counter() - MOST_AHEAD_S))
        self._free_at_s = max(time.perf_counter(), self._free_at_s) + seconds
        self._busy_s += seconds

    def synchronize(self) -> None:
        """Stand still until all of it is done."""
        self.wait(self._free_at_s)

    # -- what the recorder does with it ----------------------------------------------------

    def mark(self) -> float:
        """Return when the work before the mark is done."""
        return max(time.perf_counter(), self._free_at_s)

    def elapsed_s(self, begin: float, end: float) -> float | None:
        """Return the time between two marks, None while the second isn't reached."""
        return end - begin if time.perf_counter() >= end else None

    def wait(self, mark: float) -> None:
        """Stand still until a mark is reached."""
        self.waits += 1
        time.sleep(max(0.0, mark - time.perf_counter()))

    def __call__(self) -> AcceleratorSample:
        """Return its memory, and how busy it was since it was last asked."""
        now_s = time.perf_counter()
        done_s = self._busy_s - max(0.0, self._free_at_s - now_s)
        share = (done_s - self._busy_when_asked_s) / max(now_s - self._asked_at_s, 1e-9)
        self._asked_at_s, self._busy_when_asked_s = now_s, done_s
        return AcceleratorSample(
            allocated_bytes=self.allocated_bytes,
            reserved_bytes=self.reserved_bytes,
            utilization_percent=100 * min(1.0, max(0.0, share)),
        )

    def allocated_peak_bytes(self) -> int:
        """Return the allocator's peak."""
        return self.allocated_bytes

    def peaks(self) -> AcceleratorPeaksJson:
        """Return what the allocator tells at a run's end."""
        return {
            "allocated_peak_bytes": self.allocated_bytes,
            "reserved_peak_bytes": self.reserved_bytes,
            "total_bytes": self.total_bytes,
            "alloc_retries": 0,
            "ooms": 0,
        }


@contextmanager
def followed(device: SimulatedDevice) -> Iterator[SimulatedDevice]:
    """Let runs of this process follow the device in place of CUDA's."""
    replaced: list[tuple[Any, str, Any]] = [
        (run_records, "device_timeline", lambda _: DeviceTimeline(device)),
        (run_records, "AcceleratorProbe", lambda _: device),
        (batch_probes, "peak_flops_per_s", lambda _: (device.peak_flops_per_s, None)),
    ]
    originals = [getattr(module, name) for module, name, _ in replaced]
    try:
        for module, name, stand_in in replaced:
            setattr(module, name, stand_in)
        yield device
    finally:
        for (module, name, _), original in zip(replaced, originals, strict=True):
            setattr(module, name, original)


class Launching(torch.autograd.Function):
    """Passes a tensor on; launches work on a device as it goes forward, and as it comes back."""

    @staticmethod
    def forward(
        context: Any, tensor: torch.Tensor, device: Any, forward_s: float, backward_s: float
    ) -> torch.Tensor:
        """Launch the forward pass's work."""
        context.device, context.backward_s = device, backward_s
        device.launch(forward_s)
        return tensor.clone()

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> Any:
        """Launch the backward pass's work."""
        context.device.launch(context.backward_s)
        return gradients[0], None, None, None
