"""The history of a metric: where its level moved and by how much, or that it drifts.

The sitting is the unit, since runs of one resemble each other: a level that seems to move with
every sitting is how sittings differ.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.comparison.ranks import MEDIAN_DEVIATION_OF_NORMAL
from ocr_baseline.comparison.sittings import by_sitting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocr_baseline.comparison.metrics import Metric
    from ocr_baseline.comparison.summary import RunSummary

MIN_SEGMENT = 4
PENALTY_FACTOR = 3.0
MAX_P_VALUE = 0.001
MAX_RANK_P_VALUE = 0.005


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Consecutive runs of one level: `start` is the first run's position, `end` one past the last.

    `level` is the geometric mean (the mean, on a linear scale) of its sittings; `change` is against
    the segment before, a share of it or an amount, None for the first.
    """

    start: int
    end: int
    level: float
    change: float | None
    is_worse: bool | None


@dataclass(frozen=True, kw_only=True)
class Drift:
    """A straight line that fits a history better than steps do: its `change` from end to end."""

    change: float
    is_worse: bool


@dataclass(frozen=True, kw_only=True)
class Trend:
    """The history of one metric; `positions` are the runs that have a value."""

    metric: Metric
    positions: tuple[int, ...]
    values: tuple[float, ...]
    segments: tuple[Segment, ...]
    drift: Drift | None = None


def trend(metric: Metric, runs: Sequence[RunSummary], sittings: Mapping[str, int]) -> Trend | None:
    """Return the metric's history over runs in order; None when no run has a value.

    The segments have the smallest sum of squared errors of the sittings' means plus a penalty of
    3 s² ln n per segment, with s from the differences of neighbours, and at least four sittings
    each. A change point is kept where a t test gives p < 0.001 and a rank test p < 0.005, and the
    levels differ by more than the metric's margin. Where a line fits better than the segments, it
    is a drift instead.
    """
    known = [
        (position, run)
        for position, run in enumerate(runs)
        if metric.key in run.values and (metric.scale == "linear" or run.values[metric.key] > 0)
    ]
    if not known:
        return None
    positions, measured = zip(*known, strict=True)
    grouped = list(by_sitting(measured, sittings).values())
    means = [_mean(metric, runs) for runs in grouped]
    margin = _margin(metric, means)
    points = change_points(means, margin)
    slope = drift_of(means, points, margin)
    return Trend(
        metric=metric,
        positions=positions,
        values=tuple(run.values[metric.key] for run in measured),
        segments=_segments(metric, grouped, means, [] if slope is not None else points),
        drift=None
        if slope is None
        else Drift(change=metric.natural(slope), is_worse=metric.is_worse(slope)),
    )


def levels(
    metric: Metric, runs: Sequence[RunSummary], sittings: Mapping[str, int]
) -> list[list[RunSummary]]:
    """Return runs by the metric's level, in the order of time; all must have a value."""
    if (
        not runs
        or metric.is_exact
        or (metric.scale == "log" and min(run.values[metric.key] for run in runs) <= 0)
    ):
        return [list(runs)]
    grouped = list(by_sitting(runs, sittings).values())
    means = [_mean(metric, sitting) for sitting in grouped]
    edges = [0, *change_points(means, _margin(metric, means)), len(means)]
    return [
        [run for sitting in grouped[start:end] for run in sitting] for start, end in pairwise(edges)
    ]


def change_points(values: Sequence[float], least: float) -> list[int]:
    """Return the positions at which the level changes by more than `least`."""
    noise = _noise(values)
    if len(values) < 2 * MIN_SEGMENT or noise == 0:
        return []
    penalty = PENALTY_FACTOR * noise**2 * math.log(len(values))
    return _confirmed(values, best_division(values, penalty), least)


def best_division(values: Sequence[float], penalty: float) -> list[int]:
    """Return where to divide the values for the least squared error plus `penalty` per division.

    Each segment has at least four values. The search is exact: optimal partitioning (Jackson et
    al., "An algorithm for optimal partitioning of data on an interval", 2005). Its time grows with
    the square of the number of values.
    """
    count = len(values)
    centered = np.asarray(values, dtype=np.float64) - np.mean(values)
    sums = np.concatenate([[0.0], np.cumsum(centered)])
    squares = np.concatenate([[0.0], np.cumsum(centered**2)])
    least = np.full(count + 1, np.inf)
    least[0] = -penalty
    last_start = np.zeros(count + 1, dtype=np.intp)
    for end in range(MIN_SEGMENT, count + 1):
        starts = np.arange(end - MIN_SEGMENT + 1)
        errors = squares[end] - squares[starts] - (sums[end] - sums[starts]) ** 2 / (end - starts)
        costs = least[starts] + errors + penalty
        last_start[end] = np.argmin(costs)
        least[end] = costs[last_start[end]]
    points = []
    end = int(last_start[count])
    while end > 0:
        points.append(end)
        end = int(last_start[end])
    return points[::-1]


def drift_of(values: Sequence[float], points: Sequence[int], least: float) -> float | None:
    """Return how far a straight line goes from end to end; None where steps fit as well.

    The line must go further than `least`, have a slope at p < 0.001, and a lower Bayesian
    information criterion (Schwarz, 1978) than the steps, each of which has a place and a level.
    """
    if len(values) < 2 * MIN_SEGMENT:
        return None
    from scipy.stats import linregress

    places = np.arange(len(values))
    line = linregress(places, values)
    change = float(line.slope) * (len(values) - 1)
    if abs(change) <= least or not line.pvalue < MAX_P_VALUE:
        return None
    left = np.asarray(values) - line.intercept - line.slope * places
    edges = [0, *points, len(values)]
    parts = [np.asarray(values[start:end]) for start, end in pairwise(edges)]
    steps = math.fsum(float(np.sum((part - part.mean()) ** 2)) for part in parts)
    of_line = _criterion(len(values), float(np.sum(left**2)), 2)
    return change if of_line < _criterion(len(values), steps, 1 + 2 * len(points)) else None


def _criterion(count: int, squares: float, parameters: int) -> float:
    return count * math.log(max(squares, 1e-300) / count) + parameters * math.log(count)


def _confirmed(values: Sequence[float], points: list[int], least: float) -> list[int]:
    """Drop the weakest point until each divides levels that differ."""
    kept = list(points)
    while kept:
        edges = [0, *kept, len(values)]
        parts = [np.asarray(values[start:end]) for start, end in pairwise(edges)]
        tests = _p_values(parts, least)
        weakest = max(range(len(kept)), key=tests.__getitem__)
        if tests[weakest] < MAX_P_VALUE:
            break
        del kept[weakest]
    return kept


def _p_values(parts: Sequence[NDArray[np.float64]], least: float) -> list[float]:
    """Return the p-value of each step between neighbours, 1 where it is no step to speak of.

    Student's t with one spread for all parts, so that a part of four is judged by what all show.
    A few values that stand out make a mean and no step: ranks must tell the parts apart too.
    """
    from scipy.special import stdtr
    from scipy.stats import mannwhitneyu

    freedom = sum(map(len, parts)) - len(parts)
    squares = math.fsum(float(np.sum((part - part.mean()) ** 2)) for part in parts)
    found = []
    for before, after in pairwise(parts):
        step = abs(float(after.mean() - before.mean()))
        error = math.sqrt(squares / freedom * (1 / len(before) + 1 / len(after)))
        is_step = step > least and mannwhitneyu(before, after).pvalue < MAX_RANK_P_VALUE
        p = 2 * float(stdtr(freedom, -step / error)) if error > 0 else 0.0
        found.append(p if is_step else 1.0)
    return found


def _noise(values: Sequence[float]) -> float:
    """Return the standard deviation without changes of level: neighbours share a level."""
    if len(values) < 2:
        return 0.0
    steps = np.abs(np.diff(np.asarray(values)))
    return float(np.median(steps)) / (MEDIAN_DEVIATION_OF_NORMAL * math.sqrt(2))


def _segments(
    metric: Metric,
    grouped: Sequence[Sequence[RunSummary]],
    means: Sequence[float],
    points: Sequence[int],
) -> tuple[Segment, ...]:
    firsts = [0, *np.cumsum([len(runs) for runs in grouped]).tolist()]
    segments: list[Segment] = []
    before: float | None = None
    for start, end in pairwise([0, *points, len(means)]):
        mean = float(np.mean(means[start:end]))
        delta = None if before is None else mean - before
        segments.append(
            Segment(
                start=firsts[start],
                end=firsts[end],
                level=math.exp(mean) if metric.scale == "log" else mean,
                change=None if delta is None else metric.natural(delta),
                is_worse=None if delta is None else metric.is_worse(delta),
            )
        )
        before = mean
    return tuple(segments)


def _mean(metric: Metric, runs: Sequence[RunSummary]) -> float:
    """Return the mean of runs on the metric's scale."""
    return float(np.mean(metric.scaled([run.values[metric.key] for run in runs])))


def _margin(metric: Metric, means: Sequence[float]) -> float:
    level = float(np.mean(means))
    return metric.margin_at(math.exp(level) if metric.scale == "log" else level)
