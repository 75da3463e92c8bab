"""The change between units that were drawn anew: runs that share nothing, or sittings of runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ocr_baseline.comparison.intervals import (
    CONFIDENCE,
    MAX_P_VALUE,
    NO_SPREAD,
    Estimate,
    Spread,
    by_t,
    freedom_of_sum,
    pooled,
    within_spread,
)
from ocr_baseline.comparison.ranks import (
    FEWEST_OF_A_MEDIAN,
    MEDIAN_VARIANCE,
    Shift,
    are_apart,
    least_p_value,
    least_p_value_of_pairs,
    paired_shift,
    shift,
    some_stand_out,
)

SPREADS_DIFFER = 0.05


@dataclass(frozen=True, kw_only=True)
class Units:
    """Units of one level: their values, and the mean share of a run's own variance in one.

    A run by itself has all of it, the mean of five runs a fifth.
    """

    values: Sequence[float]
    share: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Within:
    """The spread of a run within its unit, on each side: one for both unless they differ."""

    base: Spread
    new: Spread


def within_of(base: Spread | None, new: Spread | None) -> Within | None:
    """Return the spreads of runs within the units of two sides; None where none has several."""
    both = pooled(base, new)
    if both is None:
        return None
    if base is not None and new is not None and _differ(base, new):
        return Within(base=base, new=new)
    return Within(base=both, new=both)


def units_of(sittings: Sequence[Sequence[float]], *, by_median: bool) -> Units:
    """Return a unit for each sitting: the mean of its runs, or their median."""
    center = np.median if by_median else np.mean
    shares = [
        (MEDIAN_VARIANCE if by_median and len(runs) >= FEWEST_OF_A_MEDIAN else 1.0) / len(runs)
        for runs in sittings
    ]
    return Units(
        values=[float(center(runs)) for runs in sittings], share=math.fsum(shares) / len(shares)
    )


def change_of_units(
    levels: Sequence[Units], new: Units, known: Spread | None, within: Within | None
) -> Estimate:
    """Return the change from the last level to the new units, by whichever of three fits.

    Ranks, where some units stand out and both sides have enough for the test. Welch's t, where the
    sides' spreads differ (F test at 5%). Else the t of one spread for both, which is known better.
    Where some stand out and the new ones are too few for ranks, these must lie beyond all others.

    Args:
        levels: The base's levels, each with a mean of its own; all of them tell the spread.
        new: The new units.
        known: The spread of a unit of one run, from a calibration.
        within: The spread of runs within a unit, where units hold several.
    """
    base = levels[-1]
    groups = [level.values for level in (*levels, new)]
    stand_out = some_stand_out(groups)
    least = least_p_value(len(base.values), len(new.values))
    if stand_out and least <= MAX_P_VALUE:
        return _by_ranks(shift(base.values, new.values, CONFIDENCE), groups)
    before, after = within_spread(groups[:-1]), within_spread(groups[-1:])
    if before is not None and after is not None and _differ(before, after):
        found = _with_own_spreads(base, before, new, after)
    else:
        found = _with_one_spread(levels, new, known, within)
    if not stand_out or found.p_value is None or are_apart(base.values, new.values):
        return found
    return replace(found, p_value=max(found.p_value, least), some_stand_out=True)


def change_within_sittings(
    cells: Sequence[tuple[Sequence[float], Sequence[float]]], within: Spread | None
) -> Estimate:
    """Return the change of runs that took turns in several sittings: least squares.

    Each sitting has an effect of its own, the change is the same in all; what is left is the
    spread. Where every sitting holds one run a side, this is the t test of pairs.
    """
    differences = np.asarray([np.mean(new) - np.mean(base) for base, new in cells])
    weights = np.asarray([1 / (1 / len(base) + 1 / len(new)) for base, new in cells])
    runs = sum(len(base) + len(new) for base, new in cells)
    if runs == 2 * len(cells) and some_stand_out([differences.tolist()]):
        found = _by_ranks(paired_shift(differences.tolist(), CONFIDENCE), [differences.tolist()])
        if least_p_value_of_pairs(len(cells)) <= MAX_P_VALUE:
            return found
    change = float(np.average(differences, weights=weights))
    freedom = runs - len(cells) - 1
    inner = within_spread([side for cell in cells for side in cell])
    squares = 0.0 if inner is None else inner.value**2 * inner.degrees_of_freedom
    squares += float(np.sum(weights * (differences - change) ** 2))
    own = Spread(value=math.sqrt(squares / freedom), degrees_of_freedom=freedom)
    spread = _with_known(own, within)
    variance = spread.value**2 / float(weights.sum())
    return replace(
        by_t(change, variance, spread.degrees_of_freedom),
        spread=spread.value,
        freedom=spread.degrees_of_freedom,
    )


def _with_one_spread(
    levels: Sequence[Units], new: Units, known: Spread | None, within: Within | None
) -> Estimate:
    """Return the change with one variance for all units.

    The variance of a unit is that between units plus its share of that between its runs. Where
    the sides' shares or the spreads of their runs differ, the runs' own variance makes up for it:
    added for one new run against sittings of five (Satterthwaite's degrees of freedom), taken off
    for five against single runs.
    """
    base, groups = levels[-1], (*levels, new)
    change = float(np.mean(new.values) - np.mean(base.values))
    own = within_spread([group.values for group in groups])
    spread = known if own is None else _with_known(own, known)
    if spread is None:
        return Estimate(method="too few runs", change=change, is_enough=False)
    count = 1 / len(base.values) + 1 / len(new.values)
    variance, freedom = count * spread.value**2, float(spread.degrees_of_freedom)
    if within is not None:
        own_runs = base.share * within.base.value**2 / len(
            base.values
        ) + new.share * within.new.value**2 / len(new.values)
        part = own_runs - count * _share(groups, spread) * within.base.value**2
        if part > NO_SPREAD:
            freedom = freedom_of_sum((variance, part), (freedom, within.new.degrees_of_freedom))
        variance = max(variance + part, own_runs)
    return replace(
        by_t(change, variance, freedom), spread=spread.value, freedom=spread.degrees_of_freedom
    )


def _share(groups: Sequence[Units], spread: Spread) -> float:
    """Return the mean share of the units that the spread was measured on; a calibration's is 1."""
    free = [len(group.values) - 1 for group in groups]
    known = spread.degrees_of_freedom - sum(free)
    own = math.fsum(one * group.share for one, group in zip(free, groups, strict=True) if one)
    return (own + max(0, known)) / spread.degrees_of_freedom


def _with_own_spreads(base: Units, before: Spread, new: Units, after: Spread) -> Estimate:
    """Return Welch's t, the base's variance from all of its levels."""
    variances = [before.value**2 / len(base.values), after.value**2 / len(new.values)]
    freedom = freedom_of_sum(variances, (before.degrees_of_freedom, after.degrees_of_freedom))
    change = float(np.mean(new.values) - np.mean(base.values))
    larger = max(before, after, key=lambda spread: spread.value)
    return replace(
        by_t(change, math.fsum(variances), freedom),
        spread=larger.value,
        freedom=larger.degrees_of_freedom,
    )


def _with_known(own: Spread, known: Spread | None) -> Spread:
    """Return a spread pooled with a calibration's, unless the runs spread more (F test at 5%)."""
    if known is None or _p_of_larger(own, known) < SPREADS_DIFFER:
        return own  # the machine is not as quiet as it was
    return pooled(own, known) or own


def _differ(one: Spread, other: Spread) -> bool:
    return 2 * min(_p_of_larger(one, other), _p_of_larger(other, one)) < SPREADS_DIFFER


def _p_of_larger(one: Spread, other: Spread) -> float:
    from scipy.special import fdtrc

    if other.value**2 < NO_SPREAD:
        return 1.0 if one.value**2 < NO_SPREAD else 0.0
    quotient = one.value**2 / other.value**2
    return float(fdtrc(one.degrees_of_freedom, other.degrees_of_freedom, quotient))


def _by_ranks(found: Shift, groups: Sequence[Sequence[float]]) -> Estimate:
    spread = within_spread(groups)
    return Estimate(
        method="ranks",
        change=found.change,
        low=found.low,
        high=found.high,
        spread=None if spread is None else spread.value,
        freedom=0 if spread is None else spread.degrees_of_freedom,
        p_value=found.p_value,
        some_stand_out=True,
    )
