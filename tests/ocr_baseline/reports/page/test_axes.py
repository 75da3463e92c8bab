from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_baseline.reports.page.axes import byte_ticks, label, ticks, time_ticks
from ocr_baseline.reports.text import formatting


@given(st.floats(1e-6, 1e9), st.integers(2, 10))
def test_ticks_begin_at_0_are_even_and_never_more_than_asked_for(high: float, most: int) -> None:
    for made in (
        ticks(high, most, formatting.duration),
        time_ticks(high, most, formatting.duration),
        byte_ticks(high, most, formatting.byte_size),
    ):
        values = [tick.value for tick in made]
        assert values[0] == 0.0
        assert len(values) <= most + 1
        assert values[-1] <= high * (1 + 1e-6)
        steps = [b - a for a, b in pairwise(values)]
        assert steps == pytest.approx([steps[0]] * len(steps)) if steps else True


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("50.0 ms", "50 ms"),
        ("1.50 s", "1.5 s"),
        ("2.00 GiB", "2 GiB"),
        ("200 ms", "200 ms"),
        ("5 min 00 s", "5 min"),
        ("1 min 20 s", "1 min 20 s"),
        ("2 h 00 min", "2 h"),
        ("0 s", "0 s"),
    ],
)
def test_labels_have_no_zeros_that_say_nothing(text: str, short: str) -> None:
    assert label(text) == short


@pytest.mark.parametrize("high", [0.0, float("nan"), float("inf"), -1.0])
def test_an_axis_of_nothing_has_its_0_alone(high: float) -> None:
    assert [tick.value for tick in ticks(high, 4, formatting.duration)] == [0.0]


def test_long_times_are_divided_as_people_divide_hours() -> None:
    made = time_ticks(3 * 3600.0, 8, formatting.duration)

    assert [tick.label for tick in made][:3] == ["0 s", "30 min", "1 h"]
