from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_baseline.reports.text import formatting

NOT_FINITE = (None, float("nan"), float("inf"), float("-inf"))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"),
        (2.5e-7, "250 ns"),
        (31e-6, "31.0 µs"),
        (0.412, "412 ms"),
        (0.0441, "44.1 ms"),
        (0.9996, "1.00 s"),
        (16.29, "16.3 s"),
        (59.96, "1 min 00 s"),
        (125.2, "2 min 05 s"),
        (3599.7, "1 h 00 min"),
        (3780.0, "1 h 03 min"),
        (-0.061, "-61.0 ms"),
        (1e-12, "< 0.01 ns"),
    ],
)
def test_a_duration_has_three_digits_and_the_unit_that_fits(seconds: float, text: str) -> None:
    assert formatting.duration(seconds) == text


def test_what_is_roughly_known_is_shown_in_whole_seconds() -> None:
    shown = [formatting.whole_seconds(seconds) for seconds in (0.2, 6.4, 125, 3780, None)]
    assert shown == ["0 s", "6 s", "2 min 05 s", "1 h 03 min", "not measured"]


def test_a_signed_duration_shows_its_direction() -> None:
    assert formatting.duration(0.212, signed=True) == "+212 ms"
    assert formatting.duration(-0.061, signed=True) == "-61.0 ms"
    assert formatting.duration(0.0, signed=True) == "0 s"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (1.2 * 1024**3, "1.20 GiB"),
        (5000 * 1024**4, "5,000 TiB"),
        (-2048, "-2.00 KiB"),
    ],
)
def test_bytes_are_shown_in_units_of_1024(count: float, text: str) -> None:
    assert formatting.byte_size(count) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.0, "0%"),
        (0.0001, "< 0.1%"),
        (0.1342, "13.4%"),
        (0.99999, "> 99.9%"),
        (1.0, "100%"),
        (1.25, "125.0%"),
    ],
)
def test_a_share_never_rounds_something_to_nothing_or_to_all(fraction: float, text: str) -> None:
    assert formatting.share(fraction) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.812, "2.8x"), (0.32, "0.32x"), (1.04, "1.04x"), (0.001, "< 0.01x"), (123.4, "123x")],
)
def test_a_ratio_keeps_more_digits_near_one(value: float, text: str) -> None:
    assert formatting.ratio(value) == text


@pytest.mark.parametrize("value", NOT_FINITE)
def test_what_was_not_measured_is_said_so_in_every_quantity(value: float | None) -> None:
    texts = {
        formatting.duration(value),
        formatting.byte_size(value),
        formatting.share(value),
        formatting.percent(value),
        formatting.times(value),
        formatting.ratio(value),
        formatting.count(value),
        formatting.number(value),
        formatting.samples_per_s(value),
        formatting.bytes_per_min(value),
        formatting.instant(None),
        formatting.quantity(value, "s"),
        formatting.quantity(value, "furlongs"),
    }
    assert texts == {"not measured"}
    assert formatting.bar(value) == ""


def test_evidence_is_shown_in_its_own_unit() -> None:
    assert formatting.quantity(0.46, "share") == "46.0%"
    assert formatting.quantity(7.5, "s") == "7.50 s"
    assert formatting.quantity(7260, "count") == "7,260"
    assert formatting.quantity(3.14159, "furlongs") == "3.14 furlongs"


def test_an_instant_names_its_offset() -> None:
    at = datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    assert formatting.instant(at) == "2026-03-01 12:00:00 UTC+02:00"


@given(st.floats(min_value=1e-300, max_value=1e12))
def test_a_time_that_passed_is_never_shown_as_zero(seconds: float) -> None:
    shown = formatting.duration(seconds)
    assert not shown.startswith(("0 ", "0.00 "))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_bar_has_one_width_whatever_the_fraction(fraction: float) -> None:
    assert len(formatting.bar(fraction)) == formatting.BAR_WIDTH
