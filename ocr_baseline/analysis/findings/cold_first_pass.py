"""The first pass over the data reads it from disk, and waits for it longer than later passes do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.analysis.findings.catalogue import COLD_FIRST_PASS
from ocr_baseline.analysis.findings.rule import (
    bytes_evidence,
    seconds_evidence,
    share_of,
    title,
)
from ocr_baseline.analysis.workers import batch_wait_s
from ocr_baseline.model.document import Finding
from ocr_baseline.vocabulary import PHASE_WORDS, Line, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Phase


def cold_first_pass(measured: Measured) -> Iterator[Finding]:
    """Find stages whose first pass alone reads from disk, where that costs part of the run."""
    for phase in measured.whole_phases:
        disk_bytes = _disk_bytes(phase)
        if disk_bytes is None or not _is_cold(disk_bytes):
            continue
        first_s, later_s = _waits_s(measured, phase)
        extra_s = first_s - later_s
        is_much = extra_s >= COLD_FIRST_PASS["of_run"] * measured.total_s
        if is_much and share_of(phase, extra_s) >= COLD_FIRST_PASS["medium"]:
            yield _finding(phase, disk_bytes, first_s, later_s)


def _disk_bytes(phase: Phase) -> list[float] | None:
    """Return what each pass read from disk, None where one isn't known or there is one alone."""
    known = [one.disk_read_bytes for one in phase.per_epoch if one.disk_read_bytes is not None]
    return known if len(known) == len(phase.per_epoch) and len(known) > 1 else None


def _is_cold(disk_bytes: list[float]) -> bool:
    first, later = disk_bytes[0], float(np.median(disk_bytes[1:]))
    return first > 0 and later <= COLD_FIRST_PASS["later"] * first


def _waits_s(measured: Measured, phase: Phase) -> tuple[float, float]:
    """Return how long the first pass waited for data, and the median of the later ones.

    The first batch of each pass is left out: starting the loader is something else.
    """
    times = measured.times.get(Stage(phase.name))
    if times is None or times.table is None:
        return 0.0, 0.0
    wait_s = batch_wait_s(times.table)
    first, *later = [float(wait_s[rows][1:].sum()) for rows in times.passes()]
    return first, float(np.median(later))


def _finding(phase: Phase, disk_bytes: list[float], first_s: float, later_s: float) -> Finding:
    where = f"phases.{phase.name}"
    extra_s = first_s - later_s
    return Finding(
        id=f"{COLD_FIRST_PASS.id}:{phase.name}",
        severity=COLD_FIRST_PASS.severity(share_of(phase, extra_s)),
        title=title(f"{PHASE_WORDS[phase.name]}'s first pass waits longer for data: it reads ")
        + "from disk what later passes find in memory",
        evidence=[
            bytes_evidence(f"{where}.per_epoch.first.disk_read_bytes", disk_bytes[0]),
            bytes_evidence(
                f"{where}.per_epoch.later.disk_read_bytes", float(np.median(disk_bytes[1:]))
            ),
            seconds_evidence(f"{where}.per_epoch.first.wait_s", first_s),
            seconds_evidence(f"{where}.per_epoch.later.wait_s", later_s),
        ],
        estimated_saving_s=extra_s,
        estimated_saving_low_s=0.0,
        estimated_saving_high_s=extra_s,
        saving_is_the_most=True,
        saving_basis="an estimate, and at most this: what the first pass waited longer than the "
        "median of the later ones, without the first batch of each",
        advice="Put the data on a faster disk, in fewer and larger files or in smaller ones that "
        "are decoded further, or read it ahead while the model is being made. When runs are "
        "compared, let all of them begin with the data in memory, or none.",
        lines=[f"{phase.name}.{Line.DATA_WAIT.value}"],
    )
