"""Axes: round ticks, and their labels without the zeros that say nothing."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STEPS = (1.0, 2.0, 5.0, 10.0)
TIME_STEPS_S = (60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 21600.0, 43200.0, 86400.0)
"""What people divide hours and days by."""
GIBIBYTE = 1024.0**3
_ZEROS = re.compile(r"(\d+)\.0+(?= )|(\d+\.\d*?[1-9])0+(?= )")
_WHOLE_MINUTES = re.compile(r" 00 (?:s|min)$")


class Tick(NamedTuple):
    """A tick of an axis: its value, and its label."""

    value: float
    label: str


def ticks(high: float, most: int, text: Callable[[float], str]) -> list[Tick]:
    """Return round ticks from 0 up to `high`, `most` of them above 0 at most."""
    if not math.isfinite(high) or high <= 0:
        return [Tick(0.0, label(text(0.0)))]
    return _upto(high, _step(high / most), text)


def byte_ticks(high: float, most: int, text: Callable[[float], str]) -> list[Tick]:
    """Return ticks that are round in the unit that a size of `high` bytes is shown in."""
    if not math.isfinite(high) or high <= 0:
        return [Tick(0.0, label(text(0.0)))]
    unit = 1024.0 ** max(0, int(math.log(high, 1024)))
    return _upto(high, _step(high / unit / most) * unit, text)


def time_ticks(high_s: float, most: int, text: Callable[[float], str]) -> list[Tick]:
    """Return ticks of a time axis: round seconds, minutes or hours."""
    if high_s < TIME_STEPS_S[0] * most:
        return ticks(high_s, most, text)
    fitting = (step for step in TIME_STEPS_S if high_s / step <= most)
    return _upto(high_s, next(fitting, _step(high_s / most)), text)


def label(text: str) -> str:
    """Return `50 ms` for `50.0 ms`, and `5 min` for `5 min 00 s`."""
    return _WHOLE_MINUTES.sub("", _ZEROS.sub(lambda found: found[1] or found[2], text))


def _upto(high: float, step: float, text: Callable[[float], str]) -> list[Tick]:
    count = math.floor(high / step * (1 + 1e-9))
    return [Tick(place * step, label(text(place * step))) for place in range(count + 1)]


def _step(least: float, steps: Sequence[float] = STEPS) -> float:
    """Return the smallest round number that is at least `least`."""
    unit = 10.0 ** math.floor(math.log10(least))
    return next(step * unit for step in steps if step * unit >= least * (1 - 1e-9))
