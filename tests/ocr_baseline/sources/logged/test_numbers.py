"""What loggers store for a number."""

from __future__ import annotations

import numpy as np
import pytest

from ocr_baseline.sources.logged.numbers import (
    NotANumber,
    is_reduced_mean,
    read_count,
    read_number,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3.0),
        (0, 0.0),
        (0.25, 0.25),
        ("1.5", 1.5),
        (np.float32(0.5), 0.5),
        (np.array([2.0]), 2.0),
        ({"mean": 4}, 4.0),
        ({"max": 9, "mean": 4, "last": 5}, 5.0),
    ],
)
def test_numbers_of_any_kind_are_read(value: object, expected: float) -> None:
    assert read_number(value) == expected


def test_a_tensor_of_one_element_is_read() -> None:
    torch = pytest.importorskip("torch")

    assert read_number(torch.tensor(0.5)) == 0.5


@pytest.mark.parametrize("value", [None, "", "  ", {"mean": None}])
def test_nothing_logged_is_absence_and_not_zero(value: object) -> None:
    assert read_number(value) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "NaN"),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        (float("-inf"), "Infinity"),
        ({"mean": "NaN"}, "NaN"),
        (True, "a boolean"),
        ("fast", "text"),
        ({"_type": "html-file", "path": "x"}, "a media object (html-file)"),
        ({"max": 1}, "a mapping without 'last' or 'mean'"),
        ([1, 2], "a list"),
        (np.array([1.0, 2.0]), "a ndarray of several elements"),
    ],
)
def test_what_is_no_number_says_what_it_is(value: object, reason: str) -> None:
    assert read_number(value) == NotANumber(reason)


@pytest.mark.parametrize(
    ("value", "count"), [(2, 2), (2.0, 2), ("3", 3), (0.5, None), (None, None)]
)
def test_counts_are_whole_numbers(value: object, count: int | None) -> None:
    assert read_count(value) == count


def test_only_a_mean_without_a_last_value_stands_for_the_whole_run() -> None:
    assert is_reduced_mean({"mean": 1})
    assert not is_reduced_mean({"mean": 1, "last": 2})
    assert not is_reduced_mean(1)
