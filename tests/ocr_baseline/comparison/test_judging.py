"""How many runs are needed."""

from __future__ import annotations

import pytest

from ocr_baseline.comparison.judging import detectable_effect, runs_needed


@pytest.mark.parametrize(("runs", "effect"), [(3, 3.07), (5, 2.02), (10, 1.32), (20, 0.91)])
def test_the_detectable_effect_is_that_of_the_tables(runs: int, effect: float) -> None:
    assert detectable_effect(runs) == pytest.approx(effect, abs=0.01)


def test_the_fewest_runs_that_tell_the_effect_are_named() -> None:
    needed = runs_needed(0.02, 0.03)
    assert needed is not None
    assert detectable_effect(needed) * 0.02 <= 0.03 < detectable_effect(needed - 1) * 0.02


def test_an_effect_that_no_number_of_runs_tells_has_none() -> None:
    assert runs_needed(0.2, 0.01) is None
    assert runs_needed(0.2, 0.0) is None
