"""CUDA devices: the memory of torch's allocator, and how busy they are; nothing waits for them.

The allocator keeps its counters on the host. Its peaks are never reset: user code may read them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ocr_baseline.measure.memory import AcceleratorSample
from ocr_baseline.model.privacy import OutwardLogger
from ocr_baseline.signal_errors import let_through

if TYPE_CHECKING:
    from ocr_baseline.records.format import AcceleratorPeaksJson

GIBIBYTE = 1024**3

logger = OutwardLogger(__name__)


def is_in_use(device: torch.device) -> bool:
    """Whether the device is a CUDA device whose use has begun; asking does not begin it."""
    if device.type != "cuda" or not torch.cuda.is_available():
        return False
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]  # torch's own gap


class AcceleratorProbe:
    """Reads a device, from any thread; how busy it is only with nvidia-ml-py (extra `nvml`)."""

    def __init__(self, device: torch.device) -> None:
        """Read `device` at each call."""
        self._device = device
        self._tells_utilization = True

    def __call__(self) -> AcceleratorSample | None:
        """Return the device as it is now, None when it is not in use."""
        if not is_in_use(self._device):
            return None
        return AcceleratorSample(
            allocated_bytes=torch.cuda.memory_allocated(self._device),
            reserved_bytes=torch.cuda.memory_reserved(self._device),
            utilization_percent=self._utilization_percent(),
        )

    def allocated_peak_bytes(self) -> int | None:
        """Return the allocator's peak since the process began, None when it is not in use."""
        if not is_in_use(self._device):
            return None
        return int(torch.cuda.max_memory_allocated(self._device))

    def peaks(self) -> AcceleratorPeaksJson | None:
        """Return what `peaks` does of this device."""
        return peaks(self._device)

    def _utilization_percent(self) -> float | None:
        """Ask the driver; after a first failure (no package, no permission, MIG) never again."""
        if not self._tells_utilization:
            return None
        try:
            return float(torch.cuda.utilization(self._device))
        except Exception as error:  # noqa: BLE001 - NVML has an error class for each cause
            let_through(error)
            self._tells_utilization = False
            logger.debug("The accelerator's utilization can't be read: %s", error)
            return None


def peaks(device: torch.device) -> AcceleratorPeaksJson | None:
    """Return the peaks since the process began, the device's size, retries and failures."""
    if not is_in_use(device):
        return None
    statistics = torch.cuda.memory_stats(device)
    return {
        "allocated_peak_bytes": torch.cuda.max_memory_allocated(device),
        "reserved_peak_bytes": torch.cuda.max_memory_reserved(device),
        "total_bytes": torch.cuda.get_device_properties(device).total_memory,
        "alloc_retries": statistics.get("num_alloc_retries", 0),
        "ooms": statistics.get("num_ooms", 0),
    }
