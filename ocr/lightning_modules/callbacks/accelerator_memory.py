"""The memory of torch's allocator on CUDA devices; nothing here waits for the device.

The allocator keeps its counters on the host. Its peaks are never reset: user code may read them.
"""

from __future__ import annotations

import torch

from ocr.performance.record.memory import AcceleratorSample

GIBIBYTE = 1024**3


def is_in_use(device: torch.device) -> bool:
    """Whether the device is a CUDA device whose use has begun; asking does not begin it."""
    if device.type != "cuda" or not torch.cuda.is_available():
        return False
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]  # torch's own gap


def read(device: torch.device) -> AcceleratorSample | None:
    """Return the memory allocated and reserved now on the device, from any thread."""
    if not is_in_use(device):
        return None
    return AcceleratorSample(
        allocated_bytes=torch.cuda.memory_allocated(device),
        reserved_bytes=torch.cuda.memory_reserved(device),
    )


def peaks(device: torch.device) -> dict[str, float] | None:
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
