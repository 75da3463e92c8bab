"""Trends that single outliers don't move."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CONFIDENCE = 0.95


class Trend(NamedTuple):
    """A line through points, and the interval of its slope."""

    slope: float
    intercept: float
    low_slope: float
    high_slope: float


def theil_sen(y: NDArray[np.float64], x: NDArray[np.float64] | NDArray[np.int64]) -> Trend:
    """Return the Theil-Sen line of the points, with the slope's 95% interval (Sen, 1968).

    The slope is the median of the slopes between all pairs of points of different x; the interval
    comes from the normal approximation of Kendall's statistic, with ties counted. The numbers are
    those of `scipy.stats.theilslopes`, whose import takes most of a second: a report is written
    while a training waits to end.

    Args:
        y: The values, shape (points,), three at least.
        x: Where they are, shape (points,), not all equal.
    """
    first, second = np.triu_indices(len(x), k=1)
    run = x[second] - x[first]
    rise = y[second] - y[first]
    slopes = np.sort(rise[run != 0] / run[run != 0])
    slope = float(np.median(slopes))
    spread = NormalDist().inv_cdf(0.5 + _CONFIDENCE / 2) * np.sqrt(_kendall_variance(y, x))
    low = max(round((len(slopes) - spread) / 2) - 1, 0)
    high = min(round((len(slopes) + spread) / 2), len(slopes) - 1)
    return Trend(
        slope=slope,
        intercept=float(np.median(y) - slope * np.median(x)),
        low_slope=float(slopes[low]),
        high_slope=float(slopes[high]),
    )


def _kendall_variance(*of_points: NDArray[np.float64] | NDArray[np.int64]) -> float:
    """Return the variance of Kendall's statistic (Sen, 1968, equation 2.6)."""
    ties = [np.unique(values, return_counts=True)[1] for values in of_points]
    tied = sum(float(_terms(counts[counts > 1]).sum()) for counts in ties)
    return (float(_terms(np.asarray([len(of_points[0])])).sum()) - tied) / 18


def _terms(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return counts * (counts - 1) * (2 * counts + 5)
