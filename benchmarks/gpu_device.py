"""The device that `benchmarks/gpu.py` measures on: CUDA, or a simulated one that tries the code."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Protocol

import torch

from benchmarks.planted.simulated_device import SimulatedDevice, followed

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

CALIBRATION_CYCLES = 50_000_000


class Device(Protocol):
    """Takes work of a known duration, and marks.

    Attributes:
        is_real: Whether there is an accelerator.
        accelerator: What the Trainer is given.
        name: What it is called.
    """

    is_real: bool
    accelerator: str
    name: str

    def launch(self, seconds: float) -> None:
        """Queue work of about so many seconds."""

    def mark(self) -> Any:
        """Put a mark into the queue."""

    def elapsed_s(self, begin: Any, end: Any) -> float:
        """Return the time between two marks that the device has passed."""

    def synchronize(self) -> None:
        """Wait until all is done."""

    def followed(self) -> AbstractContextManager[object]:
        """Return a context in which runs follow this device."""


class CudaDevice:
    """The current CUDA device; its work is torch's own sleeping kernel."""

    is_real = True
    accelerator = "gpu"

    def __init__(self) -> None:
        """Find how many cycles a second has."""
        self.name = torch.cuda.get_device_name()
        self._cycles_per_s = 1e9
        for _ in range(2):  # the first wakes the card up
            begin = self.mark()
            self._sleep(CALIBRATION_CYCLES)
            end = self.mark()
            self.synchronize()
            self._cycles_per_s = CALIBRATION_CYCLES / self.elapsed_s(begin, end)

    def launch(self, seconds: float) -> None:
        """Queue a kernel of about so many seconds; how long it took, marks around it tell."""
        self._sleep(int(seconds * self._cycles_per_s))

    def mark(self) -> torch.cuda.Event:
        """Record an event."""
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]  # torch's gap
        event.record()
        return event

    def elapsed_s(self, begin: torch.cuda.Event, end: torch.cuda.Event) -> float:
        """Return the time between two events."""
        return float(begin.elapsed_time(end)) / 1000

    def synchronize(self) -> None:
        """Wait for the device."""
        torch.cuda.synchronize()

    def followed(self) -> AbstractContextManager[object]:
        """Runs follow it by themselves."""
        return nullcontext()

    @staticmethod
    def _sleep(cycles: int) -> None:
        torch.cuda._sleep(cycles)  # type: ignore[no-untyped-call]  # torch's own tests use it


class DryDevice:
    """A simulated device, to try the code where there is no accelerator; it proves nothing."""

    is_real = False
    accelerator = "cpu"
    name = "a simulated device (dry run)"

    def __init__(self) -> None:
        """Begin with nothing to do."""
        self.simulated = SimulatedDevice()
        self.launch = self.simulated.launch
        self.mark = self.simulated.mark

    def elapsed_s(self, begin: float, end: float) -> float:
        """Return the time between two marks."""
        return end - begin

    def synchronize(self) -> None:
        """Wait for it."""
        self.simulated.synchronize()

    def followed(self) -> AbstractContextManager[object]:
        """Let runs follow it in place of CUDA's."""
        return followed(self.simulated)


def device_named(name: str) -> Device:
    """Return the device `cuda` or `dry`."""
    return CudaDevice() if name == "cuda" else DryDevice()
