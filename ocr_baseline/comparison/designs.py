"""What of two sides was drawn anew: runs that took turns, or the sittings of each side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ocr_baseline.comparison.intervals import Estimate, Method, Spread, welch, within_spread
from ocr_baseline.comparison.ranks import (
    FEWEST_OF_A_MEDIAN,
    are_apart,
    least_p_value,
    robust_spread,
    some_stand_out,
)
from ocr_baseline.comparison.units import (
    Units,
    change_of_units,
    change_within_sittings,
    units_of,
    within_of,
)

MIN_RUNS = 5
"""Runs a side that a verdict takes; sittings, where the sides share none."""
MIN_HISTORY = 8
"""The same on one side, however few there are on the other."""

SittingValues = Mapping[int, Sequence[float]]
"""The values of a side's runs by sitting, sittings in the order of time."""


@dataclass(frozen=True, kw_only=True)
class KnownSpread:
    """What a calibration knows: of runs in sittings of their own, and of runs within a sitting.

    Each is None where the calibration's runs could not tell it.
    """

    anew: Spread | None = None
    within: Spread | None = None


NOTHING_KNOWN = KnownSpread()


def estimate(
    levels: Sequence[SittingValues], new: SittingValues, known: KnownSpread = NOTHING_KNOWN
) -> Estimate:
    """Return the change between two sides of runs, each with its sitting.

    What a sitting does to its runs cancels out where both sides took turns in it; if enough runs
    did, they alone count. Otherwise the spread between sittings decides.

    Args:
        levels: The base's levels in the order of time; the last is what the new runs are held
            against, the others lend their spread.
        new: The new runs.
        known: The machine's spread from a calibration.
    """
    recent = levels[-1]
    cells = [(recent[sitting], new[sitting]) for sitting in recent if sitting in new]
    if cells:
        found = in_turns(cells, known.within)
        if found.is_enough or len(cells) == len(recent) == len(new):
            return found
    return between_sittings(levels, new, known.anew)


def in_turns(
    cells: Sequence[tuple[Sequence[float], Sequence[float]]], within: Spread | None = None
) -> Estimate:
    """Return the change of runs that took turns, with the spread of runs within a sitting.

    Args:
        cells: The base's and the new values of each sitting.
        within: The spread of a run within a sitting, from a calibration.
    """
    runs = sum(len(base) for base, _ in cells), sum(len(new) for _, new in cells)
    if len(cells) == 1:
        ((base, new),) = cells
        found = change_of_units([Units(values=base)], Units(values=new), within, None)
    else:
        found = change_within_sittings(cells, within)
    return replace(
        found,
        method="in turns" if found.method == "between runs" else found.method,
        units=runs,
        is_enough=min(runs) >= MIN_RUNS or within is not None,
    )


def between_sittings(
    levels: Sequence[SittingValues], new: SittingValues, anew: Spread | None = None
) -> Estimate:
    """Return the change between sides that share no sitting: the sittings are the sample.

    Each counts by the mean of its runs, or by their median where some runs stand out.

    Args:
        levels: The base's levels, as in `estimate`.
        new: The new runs.
        anew: The spread of a run in a sitting of its own, from a calibration.
    """
    sides = [list(level.values()) for level in (*levels, new)]
    runs = [values for side in sides for values in side]
    by_median = some_stand_out(runs)
    groups = [units_of(side, by_median=by_median) for side in sides]
    if by_median:
        within = within_of(robust_spread(runs), None)
    else:
        within = within_of(within_spread(runs[: -len(sides[-1])]), within_spread(sides[-1]))
    if max(len(group.values) for group in groups) < 2 and anew is None:
        return _one_sitting_a_side(runs[-2], runs[-1])
    found = change_of_units(groups[:-1], groups[-1], anew, within)
    counts = sum(len(group.values) for group in groups[:-1]), len(groups[-1].values)
    is_enough = min(counts) >= MIN_RUNS or max(counts) >= MIN_HISTORY or anew is not None
    method: Method = "between runs" if within is None else "between sittings"
    if by_median and max(map(len, sides[-1])) < FEWEST_OF_A_MEDIAN and found.p_value is not None:
        found = replace(found, p_value=max(found.p_value, _p_of_outlier(runs, sides[-1])))
    return replace(
        found,
        method=method if found.method == "between runs" else found.method,
        unit="run" if within is None else "sitting",
        units=counts,
        is_enough=is_enough,
        some_stand_out=found.some_stand_out or by_median,
    )


def _p_of_outlier(runs: Sequence[Sequence[float]], new: Sequence[Sequence[float]]) -> float:
    """Return the chance that new runs which no median cleans are of those that stand out."""
    base = [value for sitting in runs[: -len(new)] for value in sitting]
    after = [value for sitting in new for value in sitting]
    return 0.0 if are_apart(base, after) else least_p_value(len(base), len(after))


def _one_sitting_a_side(base: Sequence[float], new: Sequence[float]) -> Estimate:
    """Return the change of two sittings, with an interval that leaves out how sittings differ."""
    if min(len(base), len(new)) < 2:
        change = sum(new) / len(new) - sum(base) / len(base)
        return Estimate(method="too few runs", change=change, is_enough=False)
    return replace(welch(base, new), method="one sitting a side", is_enough=False)
