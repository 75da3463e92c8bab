"""Trends that single outliers don't move."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import theilslopes

from ocr_baseline.analysis.theil_sen import theil_sen


@pytest.mark.parametrize("points", [3, 5, 6, 20, 101])
@pytest.mark.parametrize("decimals", [0, 1, 9], ids=["many-ties", "ties", "no-ties"])
def test_the_line_and_its_interval_are_scipys(points: int, decimals: int) -> None:
    random = np.random.default_rng(points)
    x = np.round(np.cumsum(random.exponential(1.0, points)) + np.arange(points) // 2, decimals)
    y = np.round(0.3 * x + random.standard_cauchy(points), decimals)
    expected = theilslopes(y, x)

    assert theil_sen(y, x) == pytest.approx(tuple(expected), rel=1e-12, abs=1e-12)


def test_a_level_series_has_no_slope() -> None:
    trend = theil_sen(np.full(8, 3.0), np.arange(8))

    assert trend == pytest.approx((0.0, 3.0, 0.0, 0.0))
