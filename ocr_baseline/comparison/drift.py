"""Change points of a history: where the level of a metric moved, and by how much."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ocr_baseline.comparison.metrics import Metric
    from ocr_baseline.comparison.summary import RunSummary

MIN_SEGMENT = 5
PENALTY_FACTOR = 3.0
MAX_P_VALUE = 0.001
MIN_CHANGE = 0.02
_NORMAL_MEDIAN_DEVIATION = 0.6745


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Consecutive runs of one level: `start` is the first run's position, `end` one past the last.

    `level` is the geometric mean (the mean, on a linear scale); `change` is against the segment
    before, a share of it or an amount, None for the first.
    """

    start: int
    end: int
    level: float
    change: float | None
    is_worse: bool | None


@dataclass(frozen=True, kw_only=True)
class Trend:
    """The history of one metric; `positions` are the runs that have a value."""

    metric: Metric
    positions: tuple[int, ...]
    values: tuple[float, ...]
    segments: tuple[Segment, ...]


def trend(metric: Metric, runs: Sequence[RunSummary]) -> Trend | None:
    """Return the metric's history over runs in order; None when no run has a value.

    The segments have the smallest sum of squared errors plus a penalty of 3 s² ln n per segment,
    with s from the differences of neighbours, and at least five runs each. A change point is kept
    where Welch's test gives p < 0.001 and the levels differ by more than 2%.
    """
    known = [
        (position, run.values[metric.key])
        for position, run in enumerate(runs)
        if metric.key in run.values and (metric.scale == "linear" or run.values[metric.key] > 0)
    ]
    if not known:
        return None
    positions, values = zip(*known, strict=True)
    scaled = np.log(values) if metric.scale == "log" else np.asarray(values)
    return Trend(
        metric=metric,
        positions=positions,
        values=values,
        segments=_segments(metric, scaled.tolist()),
    )


def change_points(values: Sequence[float]) -> list[int]:
    """Return the positions at which the level changes, for values on the metric's scale."""
    noise = _noise(values)
    if len(values) < 2 * MIN_SEGMENT or noise == 0:
        return []
    penalty = PENALTY_FACTOR * noise**2 * math.log(len(values))
    return _confirmed(values, best_division(values, penalty))


def best_division(values: Sequence[float], penalty: float) -> list[int]:
    """Return where to divide the values for the least squared error plus `penalty` per division.

    Each segment has at least five values. The search is exact: optimal partitioning (Jackson et
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


def _confirmed(values: Sequence[float], points: list[int]) -> list[int]:
    """Drop the weakest point until each divides levels that differ."""
    from scipy.stats import ttest_ind

    kept = list(points)
    while kept:
        edges = [0, *kept, len(values)]
        tests = []
        for index in range(len(kept)):
            before = values[edges[index] : edges[index + 1]]
            after = values[edges[index + 1] : edges[index + 2]]
            p = float(ttest_ind(before, after, equal_var=False).pvalue)
            is_large = abs(float(np.mean(after) - np.mean(before))) > MIN_CHANGE
            tests.append(p if is_large and math.isfinite(p) else 1.0)
        weakest = max(range(len(kept)), key=tests.__getitem__)
        if tests[weakest] < MAX_P_VALUE:
            break
        del kept[weakest]
    return kept


def _noise(values: Sequence[float]) -> float:
    """Return the standard deviation without changes of level: neighbours share a level."""
    if len(values) < 2:
        return 0.0
    steps = np.abs(np.diff(np.asarray(values)))
    return float(np.median(steps)) / (_NORMAL_MEDIAN_DEVIATION * math.sqrt(2))


def _segments(metric: Metric, scaled: Sequence[float]) -> tuple[Segment, ...]:
    edges = [0, *change_points(scaled), len(scaled)]
    segments: list[Segment] = []
    before: float | None = None
    for start, end in pairwise(edges):
        mean = float(np.mean(scaled[start:end]))
        delta = None if before is None else mean - before
        is_log = metric.scale == "log"
        is_worse = None if delta is None else (delta > 0) == (metric.better == "lower")
        segments.append(
            Segment(
                start=start,
                end=end,
                level=math.exp(mean) if is_log else mean,
                change=math.expm1(delta) if is_log and delta is not None else delta,
                is_worse=is_worse,
            )
        )
        before = mean
    return tuple(segments)
