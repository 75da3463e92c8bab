"""How long ago this process began, for its first run alone."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from ocr_baseline.clocks import wall_clock_s

if TYPE_CHECKING:
    from ocr_baseline.records.format import StartJson

NS_PER_S = 1_000_000_000

_START_TICKS = 19
"""Place of `starttime` in /proc/self/stat, counted from behind the name in brackets."""

_claimed_in: set[int] = set()
"""Processes that had a run; a forked one has another number than its parent."""


def claim_process_start(recorded_ns: int = 0) -> StartJson:
    """Return how long before the recorder the process began; it has recorded `recorded_ns`.

    Null with the reason where that isn't what a user waited for: in a later run of the process, in
    an interactive session, and in a process that another Python program made.
    """
    why_not = _why_not()
    _claimed_in.add(os.getpid())
    if why_not is None:
        age_s, clock = _age()
        process_ns = round(age_s * NS_PER_S) - recorded_ns
        if process_ns >= 0:
            return {"process_ns": process_ns, "clock": clock}
        why_not = f"by the {clock} the process began after its run"
    return {"process_ns": None, "why_not": why_not}


def _why_not() -> str | None:
    if os.getpid() in _claimed_in:
        return "an earlier run of this process came first"
    if hasattr(sys, "ps1") or sys.flags.interactive or "ipykernel" in sys.modules:
        return "the session is interactive: its process began before anybody asked for the run"
    if multiprocessing.parent_process() is not None:
        return "another Python process made the one that trains"
    return None


def _age() -> tuple[float, str]:
    """Return the age of the process in seconds, and the clock that says so.

    Where Linux gives it, from its own ticks since boot: the wall clock of the boot, which `psutil`
    adds to them, is known to a second only.
    """
    try:
        fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
        began_s = int(fields[_START_TICKS]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - began_s, "the system's time since boot"
    except (AttributeError, IndexError, OSError, ValueError):
        return wall_clock_s() - psutil.Process().create_time(), "wall clock"
