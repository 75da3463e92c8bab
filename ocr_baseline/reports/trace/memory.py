"""Memory and the accelerator's utilization over time, as counters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.reports.trace.detail import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.model.run import MemorySamples
    from ocr_baseline.reports.trace.events import Events

MAX_SAMPLES = 20_000
"""Of each counter; of more, the highest of each block is shown."""

_COUNTERS = (
    ("memory of the main process", "bytes", "main_rss_bytes"),
    ("memory of loader workers", "bytes", "workers_rss_bytes"),
    ("proportional memory of all processes", "bytes", "tree_pss_bytes"),
    ("memory in use, of what the run may use", "percent", "system_memory_percent"),
    ("accelerator memory allocated", "bytes", "accelerator_allocated_bytes"),
    ("accelerator memory reserved", "bytes", "accelerator_reserved_bytes"),
    ("accelerator utilization", "percent", "accelerator_utilization_percent"),
)


def memory_events(
    events: Events, process: int, memory: MemorySamples, offset_s: float
) -> Iterator[str]:
    """Yield the samples that were read, counter by counter; what wasn't read isn't there."""
    for name, unit, column in _COUNTERS:
        values = getattr(memory, column)
        if values is None:
            continue
        read = np.flatnonzero(~np.isnan(values))
        for rows in blocks(len(read), max(1, -(-len(read) // MAX_SAMPLES))):
            highest = read[rows][np.argmax(values[read[rows]])]
            at_ns = events.instant_ns(float(memory.at_s[highest]) + offset_s)
            yield events.counter(process, name, unit, at_ns, float(values[highest]))
