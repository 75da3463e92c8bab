"""Verdicts on runs as real machines make them: histories that moved, sittings, noisy neighbours."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ocr_baseline.comparison.calibration import calibrate
from ocr_baseline.comparison.comparison import Comparison, MetricComparison, compare
from ocr_baseline.comparison.options import Options
from ocr_baseline.comparison.summary import RunSummary
from tests.ocr_baseline.comparison.measured_runs import run, runs

DAY = 24 * 60


def batch_time(comparison: Comparison) -> MetricComparison:
    return next(one for one in comparison.metrics if one.metric.key == "train.batch_time")


def verdicts(found: list[MetricComparison]) -> list[str]:
    return [one.verdict for one in found]


def noise(count: int, seed: int, spread: float = 0.02) -> list[float]:
    return list(map(float, np.random.default_rng(seed).normal(0, spread, count)))


def made(
    logs: list[float], *, first: int = 0, minutes: list[float] | None = None
) -> list[RunSummary]:
    """Runs of these logarithms of their factors, an hour apart unless told."""
    return [
        run(first + i, factor=math.exp(log), rss_bytes=None, minutes=minutes and minutes[i])
        for i, log in enumerate(logs)
    ]


def moved(count: int, factor: float, seed: int) -> list[RunSummary]:
    """Forty runs, the first `count` of them at a level of `factor`."""
    return made([x + math.log(factor) * (i < count) for i, x in enumerate(noise(40, seed))])


def jobs(
    count: int, seed: int, *, first: int = 0, apart: float = 0.03, slower: float = 0.0
) -> list[RunSummary]:
    """Sittings of five runs each, a day apart, whose offsets have that standard deviation."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        offset = rng.normal(0, apart) + math.log1p(slower)
        logs = (offset + rng.normal(0, 0.01, 5)).tolist()
        minutes = [(first + number) * DAY + 5.0 * i for i in range(5)]
        found += made(logs, first=1000 * (first + number), minutes=minutes)
    return found


@pytest.mark.parametrize("count", [1, 5])
def test_a_history_that_was_slower_once_finds_what_is_slower_than_the_latest_code(
    count: int,
) -> None:
    found = [
        batch_time(compare(moved(10, 1.2, seed), runs(count, slower=0.15, first=100)))
        for seed in range(10)
    ]
    assert verdicts(found) == ["regression"] * 10


def test_a_change_that_nobody_accepted_is_no_regression_of_the_runs_after_it() -> None:
    found = [
        batch_time(compare(moved(30, 1 / 1.1, seed), runs(5, first=100))) for seed in range(10)
    ]
    assert not {"regression", "suspected"} & {*verdicts(found)}


def test_a_level_that_moved_is_told_with_what_to_accept() -> None:
    comparison = compare(moved(10, 1.2, 0), runs(5, first=100))
    (note,) = [note for note in comparison.notes if "level moved" in note]
    assert "train.batch_time -1" in note
    assert "(better)" in note
    assert "ocr-baseline baseline accept" in note
    assert len(batch_time(comparison).base_values) == pytest.approx(30, abs=2)


def test_more_new_runs_never_find_less() -> None:
    history = runs(20)
    found = [batch_time(compare(history, runs(n, slower=0.08, first=100))) for n in range(2, 12)]
    assert verdicts(found) == ["regression"] * 10


@pytest.mark.parametrize("slower", [0.0, 0.03, 0.05, 0.07, 0.1])
@pytest.mark.parametrize("count", [1, 2, 4, 5, 8])
def test_a_verdict_and_its_interval_say_the_same(slower: float, count: int) -> None:
    for spread in (0.01, 0.03, 0.06):
        new = runs(count, slower=slower, first=100, spread=spread)
        found = batch_time(compare(runs(20, spread=spread), new))
        assert found.low is not None
        assert found.high is not None
        assert found.margin is not None
        if found.verdict == "regression":
            assert found.low > 0
            assert (found.change or 0.0) > found.margin
        if found.verdict == "unchanged":
            assert -found.margin < found.low <= found.high < found.margin
        if found.verdict == "inconclusive":
            assert found.low <= 0 <= found.high


def test_a_sitting_for_each_side_is_never_more_than_suspected_and_says_to_take_turns() -> None:
    comparison = compare(jobs(1, 0), jobs(1, 1, first=1, slower=0.3))
    found = batch_time(comparison)
    assert (found.verdict, found.judgement.is_settled) == ("suspected", False)
    assert found.is_descriptive
    assert "take turns (ocr-baseline run --against)" in found.judgement.reason


def test_runs_that_took_turns_stay_sharp_whatever_the_sitting_does() -> None:
    turns = [turn % 4 in (1, 2) for turn in range(10)]
    logs = [0.2 + x + math.log1p(0.1) * slow for x, slow in zip(noise(10, 0), turns, strict=True)]
    both = made(logs, minutes=[5.0 * i for i in range(10)])
    sides = [
        [one for one, new in zip(both, turns, strict=True) if new == side] for side in (False, True)
    ]
    found = batch_time(compare(sides[0], sides[1]))
    assert (found.verdict, found.method) == ("regression", "in turns")


@pytest.mark.slow
def test_a_job_is_held_against_how_much_jobs_differ() -> None:
    found = [
        batch_time(compare(jobs(8, seed), jobs(1, 100 + seed, first=20))) for seed in range(40)
    ]
    assert "regression" not in verdicts(found)
    covered = [
        one.low <= 0 <= one.high for one in found if one.low is not None and one.high is not None
    ]
    assert len(covered) == 40
    assert sum(covered) >= 35
    slow = jobs(1, 7, first=20, slower=0.3)
    assert batch_time(compare(jobs(8, 7), slow)).verdict == "regression"


def test_two_jobs_are_too_few_to_tell_how_much_jobs_differ() -> None:
    found = batch_time(compare(jobs(2, 0), jobs(1, 1, first=20, slower=0.3)))
    assert not found.judgement.is_settled
    assert "sittings" in found.judgement.reason


def test_a_calibration_of_one_sitting_gives_no_verdict_on_runs_of_two() -> None:
    day = [run(i, factor=1 + 0.01 * (i % 3), minutes=5.0 * i, rss_bytes=None) for i in range(10)]
    options = Options(calibration=calibrate(day))
    apart = compare([run(200, rss_bytes=None)], [run(300, factor=1.5, rss_bytes=None)], options)
    assert batch_time(apart).verdict == "inconclusive"
    beside = [run(400 + i, factor=1 + i / 2, minutes=5e4 + i, rss_bytes=None) for i in range(2)]
    assert batch_time(compare(beside[:1], beside[1:], options)).verdict == "regression"


def test_a_calibration_of_many_days_knows_how_days_differ() -> None:
    found = calibrate(jobs(8, 0, apart=0.05)).metrics["train.batch_time"]
    assert (found.runs, found.sittings) == (40, 8)
    assert found.within == pytest.approx(0.01, rel=0.3)
    assert found.spread > 0.03


@pytest.mark.slow
def test_a_noisy_neighbour_does_not_hide_a_tenth() -> None:
    def neighbour(seed: int) -> list[float]:
        rng = np.random.default_rng(seed)
        slow = np.where(rng.random(10) < 0.1, np.log(rng.uniform(1.1, 1.4, 10)), 0.0)
        return list(map(float, rng.normal(0, 0.02, 10) + slow))

    found = [
        batch_time(
            compare(
                made(neighbour(seed)),
                made([x + math.log1p(0.1) for x in neighbour(500 + seed)], first=100),
            )
        )
        for seed in range(40)
    ]
    assert verdicts(found).count("regression") >= 32


def test_one_run_of_a_noisy_machine_is_a_regression_only_beyond_its_worst_run() -> None:
    history = made([0.25 if i % 10 == 5 else x for i, x in enumerate(noise(40, 3))])
    within, beyond = (
        batch_time(compare(history, [run(100, factor=factor, rss_bytes=None)]))
        for factor in (1.27, 1.5)
    )
    assert within.verdict == "suspected"
    assert "some runs lie far from the others" in within.judgement.reason
    assert beyond.verdict == "regression"


def test_the_runs_that_are_asked_for_grow_with_the_spread() -> None:
    asked = []
    for spread in (0.04, 0.06, 0.08):
        found = batch_time(compare(runs(5, spread=spread), runs(5, first=100, spread=spread)))
        asked.append(found.judgement.needed_runs)
    assert None not in asked
    assert asked == sorted(asked, key=lambda n: n or 0)
    assert (asked[0] or 0) > 20


def test_one_tick_of_a_coarse_clock_is_no_change() -> None:
    base = [run(i, rss_bytes=None) for i in range(8)]  # 0.1 s each
    tick, ticks = ([run(100, factor=factor, rss_bytes=None)] for factor in (1.1, 1.3))
    assert batch_time(compare(base, tick)).verdict == "inconclusive"
    assert batch_time(compare(base, ticks)).verdict == "regression"
