"""Change points of a history."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from ocr_baseline.comparison.drift import change_points, trend
from ocr_baseline.comparison.metrics import BY_KEY
from ocr_baseline.errors import ComparisonError
from tests.ocr_baseline.comparison.measured_runs import run

needs_ruptures = pytest.mark.skipif(
    find_spec("ruptures") is None, reason="the extra store has ruptures, up to Python 3.13"
)


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.02, count)


@needs_ruptures
def test_a_level_that_moves_by_a_tenth_is_one_change_point() -> None:
    values = np.concatenate([noise(20), noise(20, 1) + math.log(1.1)])
    assert change_points(values.tolist()) == [pytest.approx(20, abs=1)]


@needs_ruptures
def test_noise_alone_is_no_change_point() -> None:
    assert sum(len(change_points(noise(40, seed).tolist())) for seed in range(50)) == 0


@needs_ruptures
def test_a_step_below_two_percent_is_none() -> None:
    values = np.concatenate([noise(20) / 20, noise(20, 1) / 20 + 0.015])
    assert change_points(values.tolist()) == []


@pytest.mark.parametrize("values", [[], [1.0], [1.0] * 40, [1.0, 2.0, 3.0]])
def test_short_and_constant_histories_have_none(values: list[float]) -> None:
    assert change_points(values) == []


@needs_ruptures
def test_a_trend_has_levels_and_says_which_are_worse() -> None:
    runs = [run(i, factor=math.exp(noise(12)[i])) for i in range(12)]
    runs += [run(20 + i, factor=1.2 * math.exp(noise(12, 1)[i])) for i in range(12)]
    time, throughput = (
        trend(BY_KEY[key], runs) for key in ("train.batch_time", "train.throughput")
    )
    assert time is not None
    assert throughput is not None
    first, second = time.segments
    assert first.level == pytest.approx(0.1, rel=0.02)
    assert second.change == pytest.approx(0.2, abs=0.03)
    assert (second.is_worse, throughput.segments[1].is_worse) == (True, True)


def test_runs_without_the_metric_are_left_out() -> None:
    bare = replace(run(1), values={})
    found = trend(BY_KEY["train.batch_time"], [run(0), bare, run(2)])
    assert found is not None
    assert found.positions == (0, 2)
    assert trend(BY_KEY["train.batch_time"], [bare]) is None


def test_without_ruptures_it_is_said_who_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ruptures", None)
    with pytest.raises(ComparisonError, match="ocr-baseline\\[store\\]"):
        change_points(noise(20).tolist())
