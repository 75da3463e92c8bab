"""How many runs are needed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ocr_baseline.comparison.power import POWER, detectable_change, runs_needed

MARGIN = 0.05


def settled_share(spread: float, runs: int, change: float) -> float:
    """The share of pairs of sets whose interval is within the margin, or beyond it with 2%."""
    rng = np.random.default_rng(0)
    base, new = (rng.normal(mean, spread, (4000, runs)) for mean in (0.0, change))
    found = stats.ttest_ind(new, base, axis=1)
    interval = found.confidence_interval()
    difference = np.abs(new.mean(axis=1) - base.mean(axis=1))
    is_within = (interval.low > -MARGIN) & (interval.high < MARGIN)
    is_beyond = (difference > MARGIN) & (found.pvalue < 0.02)
    return float(np.mean(is_within | is_beyond))


@pytest.mark.parametrize("change", [0.0, 0.1])
def test_the_runs_that_are_named_settle_four_of_five_cases(change: float) -> None:
    needed = runs_needed(0.05, 1000, MARGIN, 0.0)
    assert needed is not None
    assert settled_share(0.05, needed, change) >= POWER
    assert settled_share(0.05, needed - 2, 0.0) < POWER


def test_a_spread_that_few_runs_told_needs_more() -> None:
    few, many = (runs_needed(0.03, freedom, MARGIN, 0.0) for freedom in (4, 1000))
    assert few is not None
    assert many is not None
    assert few > many


def test_a_change_close_to_the_margin_needs_more() -> None:
    clear, close = (runs_needed(0.02, 20, MARGIN, change) for change in (0.1, 0.055))
    assert clear is not None
    assert close is not None
    assert close > 2 * clear


def test_an_effect_that_no_number_of_runs_tells_has_none() -> None:
    assert runs_needed(0.5, 20, MARGIN, 0.0) is None
    assert runs_needed(0.2, 20, 0.0, 0.0) is None


def test_a_detectable_change_is_found_in_four_of_five_cases() -> None:
    change = detectable_change(0.02, 5)
    rng = np.random.default_rng(1)
    base, new = (rng.normal(mean, 0.02, (4000, 5)) for mean in (0.0, change))
    found = float(np.mean(stats.ttest_ind(new, base, axis=1).pvalue < 0.02))
    assert found == pytest.approx(POWER, abs=0.05)
