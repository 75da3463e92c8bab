"""What a phase read from disk, and whether its first pass alone did."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from ocr_baseline.reports.text import formatting

if TYPE_CHECKING:
    from ocr_baseline.model.document import EpochSummary, Phase

LEAST_BYTES = 2**20
"""Less is Python's own files: it says nothing of the data."""


def reading_notes(phase: Phase) -> list[str]:
    """Return what the phase read from disk, nothing where that is little or wasn't measured."""
    disk_bytes = phase.disk_read_bytes
    if disk_bytes is None or disk_bytes < LEAST_BYTES:
        return []
    waited = ""
    if phase.disk_wait_s is not None:
        waited = f", and waited {formatting.duration(phase.disk_wait_s)} for it"
    return [
        f"{formatting.byte_size(disk_bytes)} read from disk{waited}{_by_pass(phase.per_epoch)}."
    ]


def _by_pass(epochs: list[EpochSummary]) -> str:
    known = [one.disk_read_bytes for one in epochs if one.disk_read_bytes is not None]
    if len(known) < 2 or len(known) != len(epochs):
        return ""
    first, *later = epochs
    return (
        f": {_amount(known[0])} in the first pass{_took(first.total_s)}, "
        f"{_amount(median(known[1:]))} in each later one{_took(_median_s(later))}"
    )


def _amount(disk_bytes: float) -> str:
    return formatting.byte_size(disk_bytes) if disk_bytes else "nothing"


def _took(took_s: float | None) -> str:
    return "" if took_s is None else f", which took {formatting.duration(took_s)}"


def _median_s(epochs: list[EpochSummary]) -> float | None:
    known = [epoch.total_s for epoch in epochs if epoch.total_s is not None]
    return median(known) if len(known) == len(epochs) else None
