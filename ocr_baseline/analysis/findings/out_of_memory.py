"""The run ended because the accelerator had no memory left: what its allocator said then."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import OUT_OF_MEMORY
from ocr_baseline.analysis.findings.rule import bytes_evidence
from ocr_baseline.model.document import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured

_SAYS_SO = "CUDA out of memory"
_AMOUNT = r"(?P<{}>\d+(?:\.\d+)?) (?P<{}_unit>bytes|KiB|MiB|GiB)"
_UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_PARTS = {
    "asked": r"Tried to allocate {}",
    "total": r"total capacity of {}",
    "free": r"of which {} is free",
    "in_use": r"this process has {} memory in use",
    "allocated": r"Of the allocated memory {} is allocated by PyTorch",
    "unused": r"{} is reserved by PyTorch but unallocated",
}
"""What torch's CUDA allocator tells in its message, as of `c10/cuda/CUDACachingAllocator.cpp`."""

_ADVICE = (
    "Use a smaller batch with gradient accumulation, lower precision or activation checkpointing."
)
_FRAGMENTED = (
    "As much as was asked for lay unused in blocks that were too small: use few batch shapes (pad "
    "to fixed sizes), and try PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True."
)
_OTHERS = "As much as was asked for is held by other processes on the card: look for them first."


def out_of_memory(measured: Measured) -> Iterator[Finding]:
    """Find that a run ended for want of accelerator memory, and who held it."""
    said = measured.run.info.ended_by or ""
    if _SAYS_SO not in said:
        return
    amounts = _amounts(said)
    asked = amounts.get("asked")
    yield Finding(
        id=OUT_OF_MEMORY.id,
        severity="high",
        title="The accelerator ran out of memory",
        evidence=[
            bytes_evidence(f"run.out_of_memory.{name}_bytes", value)
            for name, value in amounts.items()
        ],
        advice=_ADVICE if asked is None else _advice(amounts, asked),
    )


def _advice(amounts: dict[str, float], asked: float) -> str:
    if amounts.get("unused", 0.0) >= asked:
        return _FRAGMENTED
    known = [amounts.get(name) for name in ("total", "free", "in_use")]
    total, free, in_use = (value or 0.0 for value in known)
    is_known = None not in known
    return _OTHERS if is_known and total - free - in_use >= asked else _ADVICE


def _amounts(said: str) -> dict[str, float]:
    """Return the amounts that the message tells, in bytes."""
    found = {}
    for name, pattern in _PARTS.items():
        match = re.search(pattern.format(_AMOUNT.format(name, name)), said)
        if match is not None:
            found[name] = float(match[name]) * _UNITS[match[f"{name}_unit"]]
    return found
