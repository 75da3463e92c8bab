"""A fixed piece of work that tells how fast the machine is at the moment, whatever is measured.

A baseline that was taken on a busy machine has a slow canary beside it.
"""

from __future__ import annotations

from ocr_baseline.clocks import perf_counter

TERMS = 4_000_000
BUSY_EXCESS = 0.1
"""Canaries that differ by more say that the machine was not equally free for all runs."""


def canary_s() -> float:
    """Return the seconds that the fixed work takes: some tenths of one on a free machine."""
    started = perf_counter()
    sum(number * number for number in range(TERMS))
    return perf_counter() - started
