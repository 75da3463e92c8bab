"""Changes from ranks alone, for runs of which some stand out.

The shift of Hodges and Lehmann (the median of all differences between the sides) with the exact
interval that goes with the rank test of Mann and Whitney, or, of pairs, of Wilcoxon.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ocr_baseline.comparison.intervals import Spread, within_spread

STANDS_OUT = 5.0
"""Robust standard deviations. Of ten normal values one is this far off in 2% of cases."""
MEDIAN_VARIANCE = math.pi / 2
"""Of normal values, the variance of their median over that of their mean."""
FEWEST_OF_A_MEDIAN = 3
"""The median of fewer values is their mean, which one that stands out moves."""
MEDIAN_DEVIATION_OF_NORMAL = 0.6745
"""Of normal values, the median distance from their mean, in standard deviations."""


@dataclass(frozen=True, kw_only=True)
class Shift:
    """A shift with its interval (None where the values are too few for one) and its p-value."""

    change: float
    low: float | None
    high: float | None
    p_value: float


def some_stand_out(groups: Sequence[Sequence[float]]) -> bool:
    """Whether a value lies five robust standard deviations from the median of its group.

    It must do so by the deviation of its own group and by that of all groups together: a group of
    few values tells its own badly, and groups may differ in theirs.
    """
    of_all = robust_scale(groups)
    return any(
        float(np.max(_residuals([group]))) > STANDS_OUT * max(of_all, robust_scale([group]))
        for group in groups
        if len(group) >= FEWEST_OF_A_MEDIAN
    )


def are_apart(base: Sequence[float], new: Sequence[float]) -> bool:
    """Whether all values of one side lie beyond all of the other."""
    return min(new) > max(base) or max(new) < min(base)


def robust_spread(groups: Sequence[Sequence[float]]) -> Spread | None:
    """Return the robust standard deviation within groups; None when no group has two values."""
    plain = within_spread(groups)
    return None if plain is None else replace(plain, value=robust_scale(groups))


def robust_scale(groups: Sequence[Sequence[float]]) -> float:
    """Return the standard deviation within groups, as the values in their middle tell it."""
    residuals = _residuals(groups)
    free = len(residuals) - sum(len(group) > 1 for group in groups)
    if free < 1:
        return 0.0
    # A median takes a value out of its group: it is as many zeros as there are odd groups.
    place = len(residuals) - free + (free - 1) / 2
    low, high = math.floor(place), math.ceil(place)
    middle = (residuals[low] + residuals[high]) / 2
    return float(middle) / MEDIAN_DEVIATION_OF_NORMAL


def shift(base: Sequence[float], new: Sequence[float], confidence: float) -> Shift:
    """Return how far the new values lie from those of the base."""
    differences = np.sort(np.subtract.outer(np.asarray(new), np.asarray(base)).ravel())
    return _shift(differences, _rank_sums(len(base), len(new)), confidence)


def paired_shift(differences: Sequence[float], confidence: float) -> Shift:
    """Return how far differences of pairs lie from 0."""
    values = np.asarray(differences)
    first, second = np.triu_indices(len(values))
    means = np.sort((values[first] + values[second]) / 2)
    return _shift(means, _signed_rank_sums(len(values)), confidence)


def least_p_value(base: int, new: int) -> float:
    """Return the smallest p-value that sides of this size can have (two-sided)."""
    return min(1.0, 2 / math.comb(base + new, new))


def least_p_value_of_pairs(pairs: int) -> float:
    """Return the smallest p-value that so many pairs can have (two-sided)."""
    return min(1.0, 2.0 ** (1 - pairs))


def _shift(
    sorted_shifts: NDArray[np.float64], below: NDArray[np.float64], confidence: float
) -> Shift:
    """`below[k]` is the chance that at most k of the shifts lie on the wrong side of the truth."""
    not_above = int(np.searchsorted(sorted_shifts, 0.0, side="right"))
    not_below = len(sorted_shifts) - int(np.searchsorted(sorted_shifts, 0.0, side="left"))
    p_value = min(1.0, 2 * float(below[min(not_above, not_below)]))
    cut = int(np.searchsorted(below, (1 - confidence) / 2, side="right")) - 1
    return Shift(
        change=float(np.median(sorted_shifts)),
        low=float(sorted_shifts[cut]) if cut >= 0 else None,
        high=float(sorted_shifts[-1 - cut]) if cut >= 0 else None,
        p_value=p_value,
    )


@lru_cache(maxsize=256)
def _rank_sums(base: int, new: int) -> NDArray[np.float64]:
    """Return P(U <= k) of Mann and Whitney's U for equal sides, k from 0 to base times new."""
    counts = np.zeros(base * new + 1)
    counts[0] = 1.0
    # The generating function: the product of (1 - x^(base + i)) / (1 - x^i).
    for i in range(1, new + 1):
        above = base + i
        if above < len(counts):
            counts[above:] = counts[above:] - counts[:-above].copy()
        for place in range(i, len(counts)):
            counts[place] += counts[place - i]
    return np.asarray(np.cumsum(counts) / math.comb(base + new, new))


@lru_cache(maxsize=256)
def _signed_rank_sums(pairs: int) -> NDArray[np.float64]:
    """Return P(W <= k) of Wilcoxon's W for pairs without a change."""
    counts = np.zeros(pairs * (pairs + 1) // 2 + 1)
    counts[0] = 1.0
    for rank in range(1, pairs + 1):
        counts[rank:] = counts[rank:] + counts[:-rank].copy()
    return np.asarray(np.cumsum(counts) / 2.0**pairs)


def _residuals(groups: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Return the distances from the groups' medians, sorted; single values have none."""
    parts = [np.abs(np.asarray(g) - np.median(g)) for g in groups if len(g) > 1]
    return np.sort(np.concatenate(parts)) if parts else np.zeros(1)
