"""Margins, gates and quantities as people write them."""

from __future__ import annotations

import re

import pytest

from ocr_baseline.comparison.options import (
    Margin,
    Options,
    configured_metrics,
    matching_metrics,
    parse_margin,
    parse_quantity,
)
from ocr_baseline.errors import ComparisonError


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("5%", 0.05, "share"),
        ("5 %", 0.05, "share"),
        ("2 ms", 0.002, "s"),
        ("80MiB", 80 * 1024.0**2, "bytes"),
        ("50 samples/s", 50.0, "samples/s"),
        ("0.1", 0.1, ""),
        ("1e-3 s", 0.001, "s"),
    ],
)
def test_a_quantity_is_read_in_si_units(text: str, value: float, unit: str) -> None:
    found = parse_quantity(text)
    assert found.value == pytest.approx(value)
    assert found.unit == unit


@pytest.mark.parametrize("text", ["", "ms", "5 parsecs", "nan", "1e999", "5 % %"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ComparisonError):
        parse_quantity(text)


def test_a_margin_names_a_metric_in_every_phase_or_in_one() -> None:
    name, margin = parse_margin("batch_time=5%,1ms")
    assert (name, margin) == ("batch_time", Margin(relative=0.05, absolute=0.001, unit="s"))
    keys = [metric.key for metric in matching_metrics(name)]
    assert keys == [f"{phase}.batch_time" for phase in ("train", "validation", "test", "predict")]
    assert [metric.key for metric in matching_metrics("train.batch_time")] == ["train.batch_time"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("batch_time", "isn't a margin"),
        ("batch_time=", "isn't a margin"),
        ("batch_tme=5%", "did you mean batch_time"),
        ("batch_time=-5%", "negative"),
        ("batch_time=5MiB", "in bytes, and train.batch_time in s"),
        ("batch_time=much", "isn't a quantity"),
        ("batch_time=5", "5 has no unit; did you mean 5%?"),
        ("batch_time=1ms,1", "1 has no unit; did you mean 1%?"),
    ],
)
def test_a_wrong_margin_is_refused_with_the_reason(text: str, part: str) -> None:
    with pytest.raises(ComparisonError, match=re.escape(part)):
        parse_margin(text)


def test_a_number_below_1_without_a_unit_is_a_share() -> None:
    assert parse_margin("batch_time=0.05") == parse_margin("batch_time=5%")


def test_gates_choose_the_metrics_that_can_fail() -> None:
    table = configured_metrics(Options(gates=("*.throughput",)))
    assert {m.key for m in table if m.is_gated} == {
        f"{phase}.throughput" for phase in ("train", "validation", "test", "predict")
    }
