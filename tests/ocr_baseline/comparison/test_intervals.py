"""Intervals against published formulas and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from ocr_baseline.comparison import intervals
from ocr_baseline.comparison.intervals import Spread

BASE = [1.0, 1.02, 0.98, 1.01, 0.99]
NEW = [1.1, 1.14, 1.06, 1.12, 1.09]


def test_sets_have_welchs_interval_and_the_exact_rank_test() -> None:
    found = intervals.welch(BASE, NEW)
    expected = stats.ttest_ind(NEW, BASE, equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.rank_p_value == pytest.approx(2 / math.comb(10, 5))


def test_tied_values_use_the_rank_tests_approximation() -> None:
    found = intervals.welch([1.0, 1.0, 1.1, 1.2, 1.3], [2.0, 2.0, 2.1, 2.2, 2.3])
    expected = stats.mannwhitneyu(
        [2.0, 2.0, 2.1, 2.2, 2.3], [1.0, 1.0, 1.1, 1.2, 1.3], method="asymptotic"
    )
    assert found.rank_p_value == pytest.approx(expected.pvalue)


def test_a_history_counts_what_is_beyond_its_one_sided_99_percent() -> None:
    spread = Spread(value=0.02, degrees_of_freedom=9)
    found = intervals.history([0.0] * 10, [0.1], spread)
    assert found.reach == pytest.approx(stats.t.ppf(0.99, 9) * 0.02 * math.sqrt(1 + 1 / 10))
    half = stats.t.ppf(0.975, 9) * 0.02 * math.sqrt(1 + 1 / 10)
    assert (found.low, found.high) == pytest.approx((0.1 - half, 0.1 + half))


def test_a_calibration_gives_the_prediction_interval_of_a_difference() -> None:
    found = intervals.calibrated([0.0], [0.05], Spread(value=0.01, degrees_of_freedom=7))
    half = stats.t.ppf(0.975, 7) * 0.01 * math.sqrt(2)
    assert (found.low, found.high) == pytest.approx((0.05 - half, 0.05 + half))


def test_the_spread_within_groups_leaves_out_what_lies_between_them() -> None:
    found = intervals.within_spread([[1.0, 1.2], [5.0, 5.2], [9.0]])
    assert found is not None
    assert found.degrees_of_freedom == 2
    assert found.value == pytest.approx(np.std([1.0, 1.2], ddof=1))
    assert intervals.within_spread([[1.0], [2.0]]) is None


def test_equal_values_have_an_interval_without_width() -> None:
    found = intervals.welch([1.0] * 5, [1.5] * 5)
    assert (found.low, found.high, found.p_value) == (0.5, 0.5, 0.0)
    assert intervals.paired([1.0] * 5, [1.0] * 5).p_value == 1.0
