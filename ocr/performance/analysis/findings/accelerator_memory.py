"""The accelerator's memory was nearly full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr.performance.analysis.findings.rule import bytes_evidence
from ocr.performance.baseline import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr.performance.analysis.measured import Measured

RULE = "accelerator-memory"
NEAR_LIMIT = 0.90


def accelerator_memory(measured: Measured) -> Iterator[Finding]:
    """Find peaks of 90% of the accelerator's memory: high if tensors held it, medium if reserved.

    90% is where the TensorBoard profiler plugin recommends against using more. Memory that the
    allocator reserved without a tensor in it can still be given to the next tensor.
    """
    memory = None if measured.memory is None else measured.memory.accelerator
    if memory is None or not memory.total_bytes:
        return
    allocated, reserved = memory.allocated_peak_bytes, memory.reserved_peak_bytes
    fullest = max(allocated or 0.0, reserved or 0.0) / memory.total_bytes
    if fullest < NEAR_LIMIT:
        return
    tensors_fill_it = (allocated or 0.0) / memory.total_bytes >= NEAR_LIMIT
    where = "memory.accelerator"
    yield Finding(
        id=RULE,
        severity="high" if tensors_fill_it else "medium",
        title="The accelerator's memory was nearly full",
        evidence=[
            Evidence(metric=f"{where}.peak_share", value=fullest, unit="share"),
            bytes_evidence(f"{where}.total_bytes", memory.total_bytes),
            *(
                bytes_evidence(f"{where}.{name}", value)
                for name, value in (
                    ("allocated_peak_bytes", allocated),
                    ("reserved_peak_bytes", reserved),
                )
                if value is not None
            ),
        ],
        advice=(
            "Tensors alone came near the limit: use a smaller batch with gradient accumulation, "
            "lower precision or activation checkpointing before adding to the model."
            if tensors_fill_it
            else "The allocator held nearly all memory, tensors less: a larger peak may still fit, "
            "or fail for want of one large block; see that batches have few different shapes."
        ),
    )
