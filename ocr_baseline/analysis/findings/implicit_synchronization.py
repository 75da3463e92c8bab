"""Calls such as `.item()` stand still until the accelerator is done: their place, from a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import IMPLICIT_SYNCHRONIZATION
from ocr_baseline.analysis.findings.rule import count_evidence, quoted, seconds_evidence, title
from ocr_baseline.model.document import Finding
from ocr_baseline.vocabulary import PHASE_WORDS, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import ProfileWindow


def implicit_synchronization(measured: Measured) -> Iterator[Finding]:
    """Find a window that spent much of its time in calls that waited for the accelerator.

    What they waited is the device's work of before, so it isn't lost as such. Lost is the time in
    which the device then has nothing to do until the host has queued more.
    """
    window = measured.profile_window
    if window is None or not window.waits or not window.duration_s:
        return
    share = sum(wait.host_s for wait in window.waits) / window.duration_s
    if share >= IMPLICIT_SYNCHRONIZATION["medium"]:
        yield _finding(window, share)


def _finding(window: ProfileWindow, share: float) -> Finding:
    heaviest = window.waits[0]
    place = "" if heaviest.place is None else f", called at {quoted(heaviest.place)}"
    where = f"profile_window.waits.{heaviest.operator}"
    return Finding(
        id=f"{IMPLICIT_SYNCHRONIZATION.id}:{window.phase}",
        severity=IMPLICIT_SYNCHRONIZATION.severity(share),
        title=title(f"{PHASE_WORDS[window.phase]} waits for the accelerator in ")
        + f"{quoted(heaviest.operator)}{place}",
        evidence=[
            seconds_evidence("profile_window.waits.host_s", share * window.duration_s),
            seconds_evidence("profile_window.duration_s", window.duration_s),
            seconds_evidence(f"{where}.host_s", heaviest.host_s),
            count_evidence(f"{where}.calls", heaviest.calls),
            count_evidence("profile_window.batches", window.batches),
        ],
        advice="Read numbers from the device rarely: log the tensor (self.log takes it as it is), "
        "keep sums on the device and read them once an epoch, and copy with non_blocking=True from "
        "pinned memory. The device's work takes as long without the call; what can go is the time "
        "in which the device then waits for the host.",
        lines=[f"{window.phase}.{Line.FORWARD.value}"],
    )
