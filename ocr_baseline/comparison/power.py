"""How many runs a side would settle a comparison, in four of five cases."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.comparison.intervals import CONFIDENCE, MAX_P_VALUE

if TYPE_CHECKING:
    from numpy.typing import NDArray

POWER = 0.8
MAX_RUNS = 1000
"""A lower end would be told too few runs too often: it leaves those comparisons whose spread was by
luck measured too small."""
_PARTS = 20
"""Into so many equally likely parts the spreads that runs may really have are divided."""


def runs_needed(spread: float, freedom: int, margin: float, change: float) -> int | None:
    """Return how many runs a side settle a comparison with a chance of 80%; None beyond 1,000.

    Enough for an interval within the margin where nothing changed, which is harder than to find
    twice the margin; and enough to tell the change at hand from the margin. The spread is known
    from a few runs only, so the chance is the mean over what it may really be.

    Args:
        spread: Standard deviation of one run, on the metric's scale.
        freedom: The degrees of freedom that it was measured with.
        margin: The smallest change worth a verdict, on the same scale.
        change: The change at hand; 0 where it may be none.
    """
    if margin <= 0 or freedom < 1:
        return None
    spreads = spread * _factors(freedom)
    low, high = 2, MAX_RUNS
    if _chance(high, spreads, margin, change) < POWER:
        return None
    while low < high:
        middle = (low + high) // 2
        if _chance(middle, spreads, margin, change) >= POWER:
            high = middle
        else:
            low = middle + 1
    return low


def detectable_change(spread: float, runs: int) -> float:
    """Return the change that `runs` a side find with a chance of 80%, on the spread's scale."""
    from scipy.special import stdtrit

    quantile = float(stdtrit(2 * runs - 2, 1 - MAX_P_VALUE / 2))
    return (quantile + float(stdtrit(2 * runs - 2, POWER))) * spread * math.sqrt(2 / runs)


def _chance(runs: int, spreads: NDArray[np.float64], margin: float, change: float) -> float:
    """Return the chance that so many runs a side settle it: the smaller of both chances."""
    from scipy.special import ndtr, stdtrit

    errors = np.maximum(spreads * math.sqrt(2 / runs), 1e-300)[:, np.newaxis]
    # The runs to come will tell the spread too, a little more or less of it.
    quantile = float(stdtrit(2 * runs - 2, 0.5 + CONFIDENCE / 2)) / _factors(2 * runs - 2)
    unchanged = float(np.mean(np.maximum(2 * ndtr(margin / errors - quantile) - 1, 0.0)))
    size = abs(change)
    if size == 0:
        return unchanged
    apart = abs(size - margin) / errors - (quantile if size <= margin else 0.0)
    return min(unchanged, float(np.mean(ndtr(apart))))


@lru_cache(maxsize=256)
def _factors(freedom: int) -> NDArray[np.float64]:
    """Return what a measured spread is multiplied by to give those that are equally likely."""
    from scipy.special import gammaincinv

    parts = (np.arange(_PARTS) + 0.5) / _PARTS
    return np.asarray(np.sqrt(freedom / (2 * gammaincinv(freedom / 2, parts))))
