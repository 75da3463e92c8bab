"""The interval of a change between two sides, one function for each way of knowing the spread.

Every function takes values on the metric's scale (natural logarithms of times and sizes) and
returns new minus base. The run is the unit: a value stands for a whole run, since the batches of
a run resemble each other and runs differ by more than their batches tell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

CONFIDENCE = 0.95
HISTORY_LEVEL = 0.99
NO_SPREAD = 1e-24
"""Variances below this, on a logarithmic scale, are rounding."""

Method = Literal[
    "exact", "calibrated", "pooled", "welch", "paired", "history", "too few runs", "within run"
]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A change with its interval, on the metric's scale.

    `error` is the standard error, `spread` the standard deviation of one run, `p_value` that of
    no change (two-sided), `rank_p_value` the same from ranks alone. `reach` is how far the change
    must lie from 0 to count, where the method has a threshold of its own.
    """

    method: Method
    change: float
    low: float | None = None
    high: float | None = None
    error: float | None = None
    spread: float | None = None
    p_value: float | None = None
    rank_p_value: float | None = None
    reach: float | None = None


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A standard deviation between runs, and the degrees of freedom that it was measured with."""

    value: float
    degrees_of_freedom: int


def calibrated(base: Sequence[float], new: Sequence[float], spread: Spread) -> Estimate:
    """Return the change with the interval that a machine's own spread gives.

    For one run per side this is change ± t(0.975, m-1) s √2, the prediction interval of a
    difference, with s and m - 1 from A/A runs.
    """
    return _with_spread("calibrated", base, new, spread)


def pooled(base: Sequence[float], new: Sequence[float], calibration: Spread) -> Estimate:
    """Return the change of sets whose spread is pooled with a calibration of the same machine.

    More degrees of freedom make the interval narrower than the sets alone would allow. The larger
    of the two spreads is used when the sets spread more than the calibration (F test at 5%):
    then the machine is not as quiet as it was.
    """
    from scipy.stats import f

    own = within_spread([base, new])
    if own is None:
        return calibrated(base, new, calibration)
    if calibration.value**2 > NO_SPREAD:
        quotient = own.value**2 / calibration.value**2
        p = float(f.sf(quotient, own.degrees_of_freedom, calibration.degrees_of_freedom))
        if p < 1 - CONFIDENCE:
            return welch(base, new)
    freedom = own.degrees_of_freedom + calibration.degrees_of_freedom
    squares = (
        own.value**2 * own.degrees_of_freedom
        + calibration.value**2 * calibration.degrees_of_freedom
    )
    spread = Spread(value=math.sqrt(squares / freedom), degrees_of_freedom=freedom)
    return _with_spread("pooled", base, new, spread, rank_p_value=_rank_p_value(base, new))


def welch(base: Sequence[float], new: Sequence[float]) -> Estimate:
    """Return the change of two independent sets (Welch's t), at least two values per side."""
    from scipy.stats import ttest_ind

    change = float(np.mean(new) - np.mean(base))
    own = within_spread([base, new])
    if own is None or own.value**2 < NO_SPREAD:
        return _without_spread("welch", change)
    result = ttest_ind(new, base, equal_var=False)
    interval = result.confidence_interval(CONFIDENCE)
    return Estimate(
        method="welch",
        change=change,
        low=float(interval.low),
        high=float(interval.high),
        error=math.sqrt(np.var(base, ddof=1) / len(base) + np.var(new, ddof=1) / len(new)),
        spread=own.value,
        p_value=float(result.pvalue),
        rank_p_value=_rank_p_value(base, new),
    )


def paired(base: Sequence[float], new: Sequence[float]) -> Estimate:
    """Return the change of runs that were taken in pairs, in order; at least two pairs."""
    from scipy.stats import ttest_rel, wilcoxon

    deltas = np.asarray(new) - np.asarray(base)
    change = float(deltas.mean())
    spread = float(deltas.std(ddof=1))
    if spread**2 < NO_SPREAD:
        return _without_spread("paired", change)
    result = ttest_rel(new, base)
    interval = result.confidence_interval(CONFIDENCE)
    return Estimate(
        method="paired",
        change=change,
        low=float(interval.low),
        high=float(interval.high),
        error=spread / math.sqrt(len(deltas)),
        spread=spread / math.sqrt(2),
        p_value=float(result.pvalue),
        # Of five pairs the signed ranks can't give less than 0.0625: no check at 5%.
        rank_p_value=float(wilcoxon(deltas).pvalue) if len(deltas) > 5 else None,
    )


def history(recent: Sequence[float], new: Sequence[float], spread: Spread) -> Estimate:
    """Return how far new runs lie from the mean of a history, with their prediction interval.

    `reach` is t(0.99, m-1) s √(1/k + 1/m), one-sided: a run counts as worse beyond it and the
    margin, so that one run in a hundred of a quiet history does.

    Args:
        recent: Values since the last accepted change; they give the mean.
        new: Values to judge, often one.
        spread: Spread of the whole history, within the stretches between accepted changes.
    """
    from scipy.stats import t

    estimate = _with_spread("history", recent, new, spread)
    error = estimate.error or 0.0
    reach = float(t.ppf(HISTORY_LEVEL, spread.degrees_of_freedom)) * error
    return Estimate(
        method="history",
        change=estimate.change,
        low=estimate.low,
        high=estimate.high,
        error=error,
        spread=spread.value,
        p_value=estimate.p_value,
        reach=reach,
    )


def exact(base: Sequence[float], new: Sequence[float]) -> Estimate:
    """Return the change of a count, which the same code gives again: no spread is assumed."""
    change = float(np.mean(new) - np.mean(base))
    return Estimate(method="exact", change=change, low=change, high=change)


def too_few(base: Sequence[float], new: Sequence[float]) -> Estimate:
    """Return the change of sets too small for a verdict; an interval from two per side on."""
    if len(base) >= 2 and len(new) >= 2:
        found = welch(base, new)
        return Estimate(
            method="too few runs",
            change=found.change,
            low=found.low,
            high=found.high,
            error=found.error,
            spread=found.spread,
        )
    return Estimate(method="too few runs", change=float(np.mean(new) - np.mean(base)))


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
        method="within run", change=change, low=change - half_width, high=change + half_width
    )


def within_spread(groups: Sequence[Sequence[float]]) -> Spread | None:
    """Return the standard deviation within groups, pooled; None when no group has two values."""
    freedom = sum(len(group) - 1 for group in groups if len(group) > 1)
    if freedom == 0:
        return None
    squares = sum(
        float(np.sum((np.asarray(group) - np.mean(group)) ** 2))
        for group in groups
        if len(group) > 1
    )
    return Spread(value=math.sqrt(squares / freedom), degrees_of_freedom=freedom)


def _with_spread(
    method: Method,
    base: Sequence[float],
    new: Sequence[float],
    spread: Spread,
    rank_p_value: float | None = None,
) -> Estimate:
    from scipy.stats import t

    change = float(np.mean(new) - np.mean(base))
    if spread.value**2 < NO_SPREAD:
        return _without_spread(method, change)
    error = spread.value * math.sqrt(1 / len(base) + 1 / len(new))
    half_width = float(t.ppf(0.5 + CONFIDENCE / 2, spread.degrees_of_freedom)) * error
    return Estimate(
        method=method,
        change=change,
        low=change - half_width,
        high=change + half_width,
        error=error,
        spread=spread.value,
        p_value=float(2 * t.sf(abs(change) / error, spread.degrees_of_freedom)),
        rank_p_value=rank_p_value,
    )


def _without_spread(method: Method, change: float) -> Estimate:
    """All values on a side are equal: the interval is the change itself."""
    is_none = abs(change) < math.sqrt(NO_SPREAD)
    return Estimate(
        method=method,
        change=change,
        low=change,
        high=change,
        error=0.0,
        spread=0.0,
        p_value=1.0 if is_none else 0.0,
    )


def _rank_p_value(base: Sequence[float], new: Sequence[float]) -> float:
    """Return the p-value of Mann and Whitney's test: exact unless values are tied."""
    from scipy.stats import mannwhitneyu

    has_ties = len({*base, *new}) < len(base) + len(new)
    return float(mannwhitneyu(new, base, method="asymptotic" if has_ties else "exact").pvalue)
