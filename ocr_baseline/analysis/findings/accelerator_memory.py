"""The accelerator's memory was nearly full, or ran short for a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.rule import bytes_evidence, count_evidence
from ocr_baseline.model.document import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import AcceleratorMemory

RULE = "accelerator-memory"
NEAR_LIMIT = 0.90


def accelerator_memory(measured: Measured) -> Iterator[Finding]:
    """Find peaks of 90% of the accelerator's memory, and allocations that had to be tried again.

    90% is where the TensorBoard profiler plugin recommends against using more. It is high when
    tensors held that much or an allocation was retried (the allocator freed all its cache first,
    which stops the device), medium when it was only reserved: memory without a tensor in it can
    still be given to the next.
    """
    memory = None if measured.memory is None else measured.memory.accelerator
    if memory is None:
        return
    allocated = _share(memory.allocated_peak_bytes, memory.total_bytes)
    reserved = _share(memory.reserved_peak_bytes, memory.total_bytes)
    retries = memory.alloc_retries or 0
    if max(allocated, reserved) < NEAR_LIMIT and retries == 0:
        return
    is_urgent = allocated >= NEAR_LIMIT or retries > 0
    yield Finding(
        id=RULE,
        severity="high" if is_urgent else "medium",
        title="The accelerator's memory ran short"
        if retries
        else "The accelerator's memory was nearly full",
        evidence=list(_evidence(memory, max(allocated, reserved))),
        advice=(
            "Use a smaller batch with gradient accumulation, lower precision or activation "
            "checkpointing before adding to the model."
            if is_urgent
            else "The allocator held nearly all memory, tensors less: a larger peak may still fit, "
            "or fail for want of one large block; see that batches have few different shapes."
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
