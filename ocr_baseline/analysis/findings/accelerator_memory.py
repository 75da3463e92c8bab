"""The accelerator's memory was nearly full, or ran short for a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import ACCELERATOR_MEMORY
from ocr_baseline.analysis.findings.rule import bytes_evidence, count_evidence
from ocr_baseline.model.document import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import AcceleratorMemory


def accelerator_memory(measured: Measured) -> Iterator[Finding]:
    """Find peaks near the accelerator's memory, and allocations that had to be retried.

    A retry is urgent: the allocator freed its whole cache first, which stops the device. Memory
    that was only reserved is less so: without a tensor in it, it can still go to the next one.
    """
    memory = None if measured.memory is None else measured.memory.accelerator
    if memory is None:
        return
    allocated = _share(memory.allocated_peak_bytes, memory.total_bytes)
    reserved = _share(memory.reserved_peak_bytes, memory.total_bytes)
    retries = memory.alloc_retries or 0
    if max(allocated, reserved) < ACCELERATOR_MEMORY["full"] and retries == 0:
        return
    is_urgent = allocated >= ACCELERATOR_MEMORY["full"] or retries > 0
    yield Finding(
        id=ACCELERATOR_MEMORY.id,
        severity="high" if is_urgent else "medium",
        title="The accelerator's memory ran short"
        if retries
        else "The accelerator's memory was nearly full",
        evidence=list(_evidence(memory, max(allocated, reserved))),
        advice=(
            "Use a smaller batch with gradient accumulation, lower precision or activation "
            "checkpointing before adding to the model."
            if is_urgent
            else "The allocator reserved nearly all memory, though tensors used less. A larger "
            "peak may still fit, or fail because no single block is large enough: keep the number "
            "of different batch shapes low."
        ),
    )


def _share(peak_bytes: float | None, total_bytes: float | None) -> float:
    return (peak_bytes or 0.0) / total_bytes if total_bytes else 0.0


def _evidence(memory: AcceleratorMemory, peak_share: float) -> Iterator[Evidence]:
    where = "memory.accelerator"
    if memory.total_bytes:
        yield Evidence(metric=f"{where}.peak_share", value=peak_share, unit="share")
        yield bytes_evidence(f"{where}.total_bytes", memory.total_bytes)
    if memory.allocated_peak_bytes is not None:
        yield bytes_evidence(f"{where}.allocated_peak_bytes", memory.allocated_peak_bytes)
    if memory.reserved_peak_bytes is not None:
        yield bytes_evidence(f"{where}.reserved_peak_bytes", memory.reserved_peak_bytes)
    if memory.alloc_retries:
        yield count_evidence(f"{where}.alloc_retries", memory.alloc_retries)
