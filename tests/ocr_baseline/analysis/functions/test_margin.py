from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from ocr_baseline.analysis.functions.margin import wilson_interval


@given(st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_is_scipys_wilson_interval(counted: tuple[int, int]) -> None:
    hits, samples = counted
    expected = binomtest(hits, samples).proportion_ci(0.95, method="wilson")
    assert wilson_interval(hits, samples) == pytest.approx(tuple(expected), abs=1e-4)


def test_no_samples_have_no_interval() -> None:
    with pytest.raises(ValueError, match="no samples"):
        wilson_interval(0, 0)
