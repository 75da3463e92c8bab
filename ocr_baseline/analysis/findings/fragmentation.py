"""The allocator reserved much more of the accelerator's memory than tensors ever filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import FRAGMENTATION
from ocr_baseline.analysis.findings.rule import bytes_evidence
from ocr_baseline.model.document import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured


def fragmentation(measured: Measured) -> Iterator[Finding]:
    """Find a reserved peak of which much held no tensor.

    The allocated peak may fall at another moment than the reserved one, so their difference is the
    least that lay unused at the latter. Caching some memory is the allocator's purpose, so while
    there is memory to spare the finding is low.
    """
    memory = None if measured.memory is None else measured.memory.accelerator
    if memory is None or not memory.reserved_peak_bytes or memory.allocated_peak_bytes is None:
        return
    reserved = memory.reserved_peak_bytes
    unused_share = 1 - memory.allocated_peak_bytes / reserved
    if unused_share < FRAGMENTATION["unused"]:
        return
    is_short = reserved >= FRAGMENTATION["full"] * (memory.total_bytes or float("inf"))
    where = "memory.accelerator"
    yield Finding(
        id=FRAGMENTATION.id,
        severity="medium" if is_short else "low",
        title="Much of the reserved accelerator memory held no tensor",
        evidence=[
            Evidence(metric=f"{where}.unused_reserved_share", value=unused_share, unit="share"),
            bytes_evidence(f"{where}.reserved_peak_bytes", reserved),
            bytes_evidence(f"{where}.allocated_peak_bytes", memory.allocated_peak_bytes),
        ],
        advice="Use few batch shapes (pad to fixed sizes), and try PyTorch's expandable segments: "
        "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True.",
    )
