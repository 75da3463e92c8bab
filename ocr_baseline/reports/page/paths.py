"""Paths of SVG as short as they can be: whole units, relative steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Units = NDArray[np.int64]

WIDTH = 100_000
"""The axis of time in units: fine enough to look at a single epoch of many."""


def x_units(at_s: NDArray[np.float64], end_s: float) -> Units:
    """Return instants in units of the axis."""
    return np.rint(at_s / (end_s or 1.0) * WIDTH).astype(np.int64)


def y_units(values: NDArray[np.float64], high: float, height: int) -> Units:
    """Return values in units from the top of a lane; what is above `high` lies at its edge."""
    share = np.clip(values / (high or 1.0), 0.0, 1.0)
    return np.rint((1.0 - share) * height).astype(np.int64)


def dots(x: Units, y: Units) -> str:
    """Return a dot at each point: lines of no length, which round caps make visible."""
    return "".join(f"m{dx} {dy}h0" for dx, dy in _steps(x, y)).replace("m", "M", 1)


def line(x: Units, y: Units) -> str:
    """Return one line through the points."""
    if len(x) == 0:
        return ""
    steps = [f"{dx} {dy}" for dx, dy in _steps(x, y)]
    return f"M{steps[0]}" + (f"l{' '.join(steps[1:])}" if len(steps) > 1 else "h0")


def bars(x: Units, top: Units, bottom: Units) -> str:
    """Return a vertical line from `top` to `bottom` at each x."""
    columns = zip(x.tolist(), top.tolist(), bottom.tolist(), strict=True)
    return "".join(f"M{at} {high}V{low}" for at, high, low in columns)


def area(x: Units, y: Units, height: int) -> str:
    """Return the area between a line and the bottom of its lane."""
    if len(x) < 2:
        return ""
    return f"{line(x, y)}V{height}H{int(x[0])}z"


def blocks(spans: Iterable[tuple[int, int]], top: int, height: int) -> str:
    """Return a block for each start and width."""
    return "".join(f"M{at} {top}h{width}v{height}h-{width}z" for at, width in spans)


def _steps(x: Units, y: Units) -> list[tuple[int, int]]:
    dx, dy = np.diff(x, prepend=0), np.diff(y, prepend=0)
    return list(zip(dx.tolist(), dy.tolist(), strict=True))
