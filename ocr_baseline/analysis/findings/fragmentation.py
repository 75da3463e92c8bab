"""The allocator reserved much more of the accelerator's memory than tensors ever filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.rule import bytes_evidence
from ocr_baseline.model.document import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured

RULE = "fragmentation"
UNUSED_SHARE = 0.30
SHORT_OF_MEMORY = 0.90


def fragmentation(measured: Measured) -> Iterator[Finding]:
    """Find 30% of the reserved peak in no tensor; medium when 90% of the memory was reserved.

    The peak of what is allocated may fall at another moment than that of what is reserved, so
    their difference is the least that lay unused at the latter. Caching some memory is the
    allocator's purpose; 30% is this project's choice, and as long as there is memory to spare it
    is low. 90% is the TensorBoard profiler plugin's limit for memory.
    """
    memory = None if measured.memory is None else measured.memory.accelerator
    if memory is None or not memory.reserved_peak_bytes or memory.allocated_peak_bytes is None:
        return
    reserved = memory.reserved_peak_bytes
    unused_share = 1 - memory.allocated_peak_bytes / reserved
    if unused_share < UNUSED_SHARE:
        return
    is_short = reserved >= SHORT_OF_MEMORY * (memory.total_bytes or float("inf"))
    where = "memory.accelerator"
    yield Finding(
        id=RULE,
        severity="medium" if is_short else "low",
        title="Much of the accelerator memory that was reserved held no tensor",
        evidence=[
            Evidence(metric=f"{where}.unused_reserved_share", value=unused_share, unit="share"),
            bytes_evidence(f"{where}.reserved_peak_bytes", reserved),
            bytes_evidence(f"{where}.allocated_peak_bytes", memory.allocated_peak_bytes),
        ],
        advice="Keep the shapes of batches few (pad to fixed sizes), and try PyTorch's expandable "
        "segments: PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True.",
    )
