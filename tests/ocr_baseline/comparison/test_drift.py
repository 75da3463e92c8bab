"""Change points of a history."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest

from ocr_baseline.comparison.drift import (
    MIN_SEGMENT,
    Trend,
    best_division,
    change_points,
    trend,
)
from ocr_baseline.comparison.metrics import BY_KEY
from ocr_baseline.comparison.sittings import sittings_of
from ocr_baseline.comparison.summary import RunSummary
from tests.ocr_baseline.comparison.measured_runs import run


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.02, count)


def trend_of(key: str, runs: list[RunSummary]) -> Trend | None:
    return trend(BY_KEY[key], runs, sittings_of(runs))


def test_a_level_that_moves_by_a_tenth_is_one_change_point() -> None:
    values = np.concatenate([noise(20), noise(20, 1) + math.log(1.1)])
    assert change_points(values.tolist(), 0.05) == [pytest.approx(20, abs=1)]


def test_noise_alone_is_no_change_point() -> None:
    assert sum(len(change_points(noise(40, seed).tolist(), 0.05)) for seed in range(50)) == 0


def test_a_step_below_the_least_that_counts_is_none() -> None:
    values = np.concatenate([noise(20) / 20, noise(20, 1) / 20 + 0.04])
    assert change_points(values.tolist(), 0.05) == []
    assert change_points(values.tolist(), 0.03) == [20]


@pytest.mark.parametrize("values", [[], [1.0], [1.0] * 40, [1.0, 2.0, 3.0]])
def test_short_and_constant_histories_have_none(values: list[float]) -> None:
    assert change_points(values, 0.05) == []


def test_a_trend_has_levels_and_says_which_are_worse() -> None:
    runs = [run(i, factor=math.exp(noise(12)[i])) for i in range(12)]
    runs += [run(20 + i, factor=1.2 * math.exp(noise(12, 1)[i])) for i in range(12)]
    time, throughput = (trend_of(key, runs) for key in ("train.batch_time", "train.throughput"))
    assert time is not None
    assert throughput is not None
    first, second = time.segments
    assert first.level == pytest.approx(0.1, rel=0.02)
    assert second.change == pytest.approx(0.2, abs=0.03)
    assert (second.is_worse, throughput.segments[1].is_worse) == (True, True)


def test_runs_without_the_metric_are_left_out() -> None:
    bare = replace(run(1), values={})
    found = trend_of("train.batch_time", [run(0), bare, run(2)])
    assert found is not None
    assert found.positions == (0, 2)
    assert trend_of("train.batch_time", [bare]) is None


def test_days_that_differ_are_no_change_points() -> None:
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        logs = np.repeat(rng.normal(0, 0.03, 20), 5) + rng.normal(0, 0.01, 100)
        runs = [
            run(i, factor=math.exp(log), minutes=(i // 5) * 24 * 60 + 5.0 * (i % 5))
            for i, log in enumerate(logs)
        ]
        shown = trend_of("train.batch_time", runs)
        assert shown is not None
        found += len(shown.segments) - 1
    assert found <= 1


def test_a_slow_drift_is_told_as_one_and_a_step_is_not() -> None:
    creeping = [run(i, factor=math.exp(x + 0.003 * i)) for i, x in enumerate(noise(40))]
    found = trend_of("train.batch_time", creeping)
    assert found is not None
    assert found.drift is not None
    assert found.drift.change == pytest.approx(0.12, abs=0.03)
    assert (found.drift.is_worse, len(found.segments)) == (True, 1)
    step = [run(i, factor=math.exp(x + 0.12 * (i >= 20))) for i, x in enumerate(noise(40))]
    stepped = trend_of("train.batch_time", step)
    assert stepped is not None
    assert (stepped.drift, len(stepped.segments)) == (None, 2)


def test_a_division_has_the_least_cost_of_all_that_are_possible() -> None:
    penalty = 0.001

    def cost(values: list[float], points: tuple[int, ...]) -> float:
        edges = [0, *points, len(values)]
        segments = [np.asarray(values[a:b]) for a, b in pairwise(edges)]
        errors = sum(float(((part - part.mean()) ** 2).sum()) for part in segments)
        return errors + penalty * len(points)

    def possible(count: int) -> list[tuple[int, ...]]:
        places = range(MIN_SEGMENT, count - MIN_SEGMENT + 1)
        return [
            points
            for size in range(count // MIN_SEGMENT)
            for points in combinations(places, size)
            if all(b - a >= MIN_SEGMENT for a, b in pairwise(points))
        ]

    for seed in range(20):
        steps = np.repeat(np.random.default_rng(seed).normal(0, 0.02, 4), 6)
        values = (noise(24, seed) + steps).tolist()
        best = min(possible(24), key=lambda points: cost(values, points))
        assert tuple(best_division(values, penalty)) == best
