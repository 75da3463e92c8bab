"""Change points of a history: where the level of a metric moved, and by how much."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.errors import ComparisonError

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

    Change points come from PELT with a squared-error cost, at least five runs a segment, and a
    penalty of 3 s² ln n, with s from the differences of neighbours; one is kept where Welch's
    test gives p < 0.001 and the levels differ by more than 2%.

    Raises:
        ComparisonError: When the package that looks for change points is not installed.
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
    """Return the positions at which the level changes, for values on the metric's scale.

    Raises:
        ComparisonError: When `ruptures` is not installed.
    """
    noise = _noise(values)
    if len(values) < 2 * MIN_SEGMENT or noise == 0:
        return []
    try:
        import ruptures
    except ModuleNotFoundError as error:
        raise ComparisonError(
            "change points need the package ruptures: pip install 'ocr-baseline[store]' "
            "(Python 3.13 or older: there is none for newer ones)"
        ) from error
    penalty = PENALTY_FACTOR * noise**2 * math.log(len(values))
    search = ruptures.Pelt(model="l2", min_size=MIN_SEGMENT, jump=1)
    signal = np.asarray(values, dtype=np.float64).reshape(-1, 1)
    ends = search.fit(signal).predict(pen=penalty)
    return _confirmed(values, [int(end) for end in ends[:-1]])


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
