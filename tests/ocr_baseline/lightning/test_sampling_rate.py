"""`sampling_hz`: wrong rates are refused before a run."""

from __future__ import annotations

import math

import pytest

from ocr_baseline import PerformanceProfilerCallback


@pytest.mark.parametrize("rate_hz", [-1, 1001, math.nan, math.inf])
def test_a_rate_that_makes_no_sense_is_refused(rate_hz: float) -> None:
    with pytest.raises(ValueError, match="sampling_hz must be 0 to 1000 times a second"):
        PerformanceProfilerCallback(sampling_hz=rate_hz)


@pytest.mark.parametrize("rate_hz", [0, 1, 100, 1000])
def test_zero_and_every_other_rate_are_taken(rate_hz: float) -> None:
    assert PerformanceProfilerCallback(sampling_hz=rate_hz).sampling_hz == rate_hz
