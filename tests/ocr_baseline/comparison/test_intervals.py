"""Intervals against published formulas and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from ocr_baseline.comparison import intervals, ranks
from ocr_baseline.comparison.designs import KnownSpread, estimate
from ocr_baseline.comparison.intervals import Spread

BASE = [1.0, 1.02, 0.98, 1.01, 0.99]
NEW = [1.1, 1.14, 1.06, 1.12, 1.09]


def apart(values: list[float], first: int = 0) -> dict[int, list[float]]:
    """Each value in a sitting of its own."""
    return {first + place: [value] for place, value in enumerate(values)}


def test_runs_by_themselves_have_students_interval() -> None:
    found = estimate([apart(BASE)], apart(NEW, 10))
    expected = stats.ttest_ind(NEW, BASE).confidence_interval()
    assert (found.method, found.units) == ("between runs", (5, 5))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_sides_whose_spreads_differ_have_welchs_interval() -> None:
    new = [1.0, 1.5, 0.6, 1.4, 0.9]
    found = estimate([apart(BASE)], apart(new, 10))
    expected = stats.ttest_ind(new, BASE, equal_var=False)
    interval = expected.confidence_interval()
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.p_value == pytest.approx(expected.pvalue)


def test_one_new_run_has_the_prediction_interval_of_a_history() -> None:
    history = [1.0, 1.02, 0.98, 1.01, 0.99, 1.0, 1.03, 0.97]
    found = estimate([apart(history)], apart([1.1], 10))
    error = np.std(history, ddof=1) * math.sqrt(1 + 1 / 8)
    half = stats.t.ppf(0.975, 7) * error
    assert (found.low, found.high) == pytest.approx((0.1 - half, 0.1 + half))
    assert found.p_value == pytest.approx(2 * stats.t.sf(0.1 / error, 7))


def test_sittings_of_one_size_have_students_interval_of_their_means() -> None:
    rng = np.random.default_rng(0)
    base = {day: rng.normal(0, 0.1, 5).tolist() for day in range(8)}
    new = {20 + day: rng.normal(0.5, 0.1, 5).tolist() for day in range(5)}
    found = estimate([base], new)
    means = [[float(np.mean(runs)) for runs in side.values()] for side in (new, base)]
    expected = stats.ttest_ind(*means).confidence_interval()
    assert (found.method, found.units) == ("between sittings", (8, 5))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_one_run_against_sittings_of_five_is_known_less_well_than_five_runs() -> None:
    rng = np.random.default_rng(1)
    base = {day: (rng.normal(0, 0.01) + rng.normal(0, 0.1, 5)).tolist() for day in range(8)}
    one, five = ({20: [0.0] * 1}, {20: [-0.1, -0.05, 0.0, 0.05, 0.1]})
    errors = [estimate([base], new).error or 0.0 for new in (one, five)]
    assert errors[0] > 1.5 * errors[1]


def test_turns_in_one_sitting_leave_the_sitting_out() -> None:
    found = estimate([{0: BASE}], {0: NEW})
    expected = stats.ttest_ind(NEW, BASE).confidence_interval()
    assert found.method == "in turns"
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_a_pair_a_day_has_the_interval_of_paired_differences() -> None:
    days = [0.0, 0.3, -0.2, 0.1, 0.5]
    base = {day: [offset + x] for day, (offset, x) in enumerate(zip(days, BASE, strict=True))}
    new = {day: [offset + x] for day, (offset, x) in enumerate(zip(days, NEW, strict=True))}
    found = estimate([base], new)
    expected = stats.ttest_rel(NEW, BASE)
    interval = expected.confidence_interval()
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.p_value == pytest.approx(expected.pvalue)


def test_turns_on_several_days_have_the_interval_of_least_squares() -> None:
    rng = np.random.default_rng(2)
    base = {day: (day + rng.normal(0, 0.1, 3)).tolist() for day in range(4)}
    new = {day: (day + 0.5 + rng.normal(0, 0.1, 2)).tolist() for day in range(4)}
    found = estimate([base], new)
    rows, values = [], []
    for is_new, side in enumerate((base, new)):
        for day, runs in side.items():
            for value in runs:
                rows.append([float(is_new), *(float(day == other) for other in range(4))])
                values.append(value)
    solution, residuals, *_ = np.linalg.lstsq(np.asarray(rows), np.asarray(values), rcond=None)
    freedom = len(values) - 5
    cov = np.linalg.inv(np.asarray(rows).T @ np.asarray(rows)) * residuals[0] / freedom
    assert found.change == pytest.approx(solution[0])
    assert found.error == pytest.approx(math.sqrt(cov[0, 0]))
    assert found.freedom == freedom


def test_a_calibration_gives_the_prediction_interval_of_a_difference() -> None:
    known = KnownSpread(anew=Spread(value=0.01, degrees_of_freedom=7))
    found = estimate([apart([0.0])], apart([0.05], 10), known)
    half = stats.t.ppf(0.975, 7) * 0.01 * math.sqrt(2)
    assert (found.low, found.high) == pytest.approx((0.05 - half, 0.05 + half))


def test_where_runs_stand_out_the_interval_is_that_of_ranks() -> None:
    base = [0.0, 0.01, -0.01, 0.02, -0.02, 0.5]
    new = [0.11, 0.1, 0.09, 0.12, 0.08, 0.105]
    found = estimate([apart(base)], apart(new, 10))
    assert found.method == "ranks"
    assert found.change == pytest.approx(np.median(np.subtract.outer(new, base)))
    expected = stats.mannwhitneyu(new, base, method="exact").pvalue
    assert found.p_value == pytest.approx(expected)


@pytest.mark.parametrize(("base", "new"), [(4, 4), (5, 9), (12, 3)])
def test_the_rank_tests_p_values_are_scipys(base: int, new: int) -> None:
    rng = np.random.default_rng(base)
    before, after = rng.normal(0, 1, base), rng.normal(0.8, 1, new)
    found = ranks.shift(before.tolist(), after.tolist(), 0.95)
    assert found.p_value == pytest.approx(stats.mannwhitneyu(after, before, method="exact").pvalue)
    differences = rng.normal(0.5, 1, base + new)
    paired = ranks.paired_shift(differences.tolist(), 0.95)
    assert paired.p_value == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue)


def test_the_rank_interval_holds_what_the_test_does_not_refuse() -> None:
    rng = np.random.default_rng(3)
    base, new = rng.normal(0, 1, 6), rng.normal(1, 1, 7)
    found = ranks.shift(base.tolist(), new.tolist(), 0.95)
    assert found.low is not None
    assert found.high is not None
    for shift, is_inside in ((found.low - 1e-9, False), (found.low + 1e-9, True),
                             (found.high - 1e-9, True), (found.high + 1e-9, False)):  # fmt: skip
        p = stats.mannwhitneyu(new - shift, base, method="exact").pvalue
        assert (p > 0.05) == is_inside


def test_sides_too_small_for_ranks_have_no_interval_of_them() -> None:
    found = ranks.shift([0.0, 1.0], [2.0], 0.95)
    assert (found.low, found.high) == (None, None)


def test_the_spread_within_groups_leaves_out_what_lies_between_them() -> None:
    found = intervals.within_spread([[1.0, 1.2], [5.0, 5.2], [9.0]])
    assert found is not None
    assert found.degrees_of_freedom == 2
    assert found.value == pytest.approx(np.std([1.0, 1.2], ddof=1))
    assert intervals.within_spread([[1.0], [2.0]]) is None


def test_equal_values_have_an_interval_without_width() -> None:
    found = estimate([apart([1.0] * 5)], apart([1.5] * 5, 10))
    assert (found.low, found.high, found.p_value) == (0.5, 0.5, 0.0)
    same = estimate([apart([1.0] * 5)], apart([1.0] * 5, 10))
    assert same.p_value == 1.0
