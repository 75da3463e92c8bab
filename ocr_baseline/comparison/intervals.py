"""What an interval of a change is, and the plain ones: of counts, of two sets, within two runs.

Every function takes values on the metric's scale (natural logarithms of times and sizes) and
returns new minus base.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

CONFIDENCE = 0.95
MAX_P_VALUE = 0.02
"""Two-sided, for a verdict: of comparisons without a change one in a hundred is called worse."""
NO_SPREAD = 1e-24
"""Variances below this, on a logarithmic scale, are rounding."""

Method = Literal[
    "exact",
    "in turns",
    "between runs",
    "between sittings",
    "ranks",
    "one sitting a side",
    "too few runs",
    "within run",
]
Unit = Literal["run", "sitting"]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A change with its interval, on the metric's scale.

    `error` is the standard error, `spread` the standard deviation of one `unit`, known with so
    many degrees of `freedom`; `p_value` is that of no change (two-sided). `units` are those of the
    base and of the new side, and `is_enough` says that they suffice for a verdict;
    `some_stand_out` says that values lie far from the others.
    """

    method: Method
    change: float
    low: float | None = None
    high: float | None = None
    error: float | None = None
    spread: float | None = None
    freedom: int = 0
    p_value: float | None = None
    unit: Unit = "run"
    units: tuple[int, int] = (1, 1)
    is_enough: bool = True
    some_stand_out: bool = False


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A standard deviation, and the degrees of freedom that it was measured with."""

    value: float
    degrees_of_freedom: int


def exact(base: Sequence[float], new: Sequence[float]) -> Estimate:
    """Return the change of a count, which the same code gives again: no spread is assumed."""
    change = float(np.mean(new) - np.mean(base))
    return Estimate(method="exact", change=change, low=change, high=change)


def welch(base: Sequence[float], new: Sequence[float]) -> Estimate:
    """Return the change of two independent sets (Welch's t), at least two values per side."""
    change = float(np.mean(new) - np.mean(base))
    variances = [float(np.var(side, ddof=1)) / len(side) for side in (base, new)]
    variance = math.fsum(variances)
    if variance < NO_SPREAD:
        return by_t(change, 0.0, 1.0)
    freedom = freedom_of_sum(variances, (len(base) - 1, len(new) - 1))
    own = within_spread([base, new])
    return replace(by_t(change, variance, freedom), spread=None if own is None else own.value)


def freedom_of_sum(variances: Sequence[float], freedoms: Sequence[float]) -> float:
    """Return the degrees of freedom of a sum of measured variances, not all 0 (Satterthwaite)."""
    doubt = math.fsum(v**2 / freedom for v, freedom in zip(variances, freedoms, strict=True))
    return math.fsum(variances) ** 2 / doubt


def within_run(
    change: float, base_blocks: Sequence[float], new_blocks: Sequence[float]
) -> Estimate:
    """Return a change with an interval from the blocks of one run per side: it only describes.

    It leaves out what differs from run to run, usually the larger part, and is too narrow for a
    verdict.

    Args:
        change: The change of the metric itself.
        base_blocks: Means of consecutive blocks of batches, on the metric's scale.
        new_blocks: The same of the new run.
    """
    found = welch(base_blocks, new_blocks)
    half_width = 0.0 if found.low is None or found.high is None else (found.high - found.low) / 2
    return Estimate(
        method="within run",
        change=change,
        low=change - half_width,
        high=change + half_width,
        is_enough=False,
    )


def by_t(change: float, variance: float, freedom: float) -> Estimate:
    """Return the interval of a change from the variance of its error, by Student's t.

    Where all values on a side are equal, the interval is the change itself.
    """
    if variance < NO_SPREAD:
        change = 0.0 if abs(change) < math.sqrt(NO_SPREAD) else change
        return Estimate(
            method="between runs",
            change=change,
            low=change,
            high=change,
            error=0.0,
            spread=0.0,
            p_value=0.0 if change else 1.0,
        )
    from scipy.special import stdtr, stdtrit

    error = math.sqrt(variance)
    half_width = float(stdtrit(freedom, 0.5 + CONFIDENCE / 2)) * error
    return Estimate(
        method="between runs",
        change=change,
        low=change - half_width,
        high=change + half_width,
        error=error,
        p_value=2 * float(stdtr(freedom, -abs(change) / error)),
    )


def within_spread(groups: Sequence[Sequence[float]]) -> Spread | None:
    """Return the standard deviation within groups, pooled; None when no group has two values."""
    freedom = sum(len(group) - 1 for group in groups if group)
    if freedom == 0:
        return None
    squares = math.fsum(
        float(np.sum((np.asarray(group) - np.mean(group)) ** 2))
        for group in groups
        if len(group) > 1
    )
    return Spread(value=math.sqrt(squares / freedom), degrees_of_freedom=freedom)


def pooled(*spreads: Spread | None) -> Spread | None:
    """Return several measurements of one spread as one; None of none."""
    known = [one for one in spreads if one is not None]
    freedom = sum(one.degrees_of_freedom for one in known)
    if freedom == 0:
        return None
    squares = math.fsum(one.value**2 * one.degrees_of_freedom for one in known)
    return Spread(value=math.sqrt(squares / freedom), degrees_of_freedom=freedom)
