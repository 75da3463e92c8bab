"""Values of record files, checked: each function returns what was meant or raises `ValueError`.

Record files may be damaged or written by anybody; what is not of the right kind must not pass for
a measurement.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from ocr_baseline.vocabulary import RunStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

LARGEST_NS = 2**58
"""Nine years in nanoseconds: more is damage, and 32 such lines still sum up in 64 bits."""

LARGEST_NUMBER = 2.0**63
LARGEST_COUNT = 2**40
"""A million million of anything: more is damage, and eight million such counts still sum up."""


def integers(values: Any) -> NDArray[np.int64]:
    """Return a list of integers as a column, shape (values,)."""
    column = np.asarray(values)
    if column.ndim != 1 or not isinstance(values, list):
        raise ValueError("a column is not a list of numbers")
    if len(column) and column.dtype.kind != "i":
        raise ValueError("a column holds something else than integers")
    return column.astype(np.int64, copy=False)


def nanoseconds(values: Any) -> NDArray[np.int64]:
    """Return a list of times as a column, shape (values,); none may be negative."""
    column = integers(values)
    if ((column < 0) | (column > LARGEST_NS)).any():
        raise ValueError("a time is negative or longer than nine years")
    return column


def counts(values: Any) -> NDArray[np.int64]:
    """Return a list of counts, or of numbers that begin at 0, as a column, shape (values,)."""
    column = integers(values)
    if ((column < 0) | (column > LARGEST_COUNT)).any():
        raise ValueError("a count is negative or more than a run can hold")
    return column


def line_columns(value: Any, count: int) -> dict[str, NDArray[np.int64]]:
    """Return a column of `count` times for each line."""
    lines = {line: nanoseconds(column) for line, column in mapping(value).items()}
    if any(len(column) != count for column in lines.values()):
        raise ValueError("columns of different lengths")
    if sum(float(column.max(initial=0)) for column in lines.values()) > 2**62:
        raise ValueError("the lines of a batch add up to more than a run can last")
    return lines


def readings(values: Any) -> list[float]:
    """Return finite numbers from 0 up, NaN in place of null."""
    if not isinstance(values, list):
        raise ValueError("a column is not a list of numbers")
    return [math.nan if value is None else number(value) for value in values]


def readings_column(values: Any) -> NDArray[np.float64]:
    """Return the same as a column, shape (values,); integers alone, which are many, go fast."""
    if isinstance(values, list) and set(map(type, values)) == {int}:
        column = np.asarray(values)
        if column.dtype.kind == "i" and (column >= 0).all():
            return column.astype(np.float64)
    return np.asarray(readings(values), dtype=np.float64)


def sample_counts(values: Any) -> NDArray[np.float64]:
    """Return the samples of each batch as a column, NaN in place of null, shape (values,)."""
    column = readings_column(values)
    if (column > LARGEST_COUNT).any():
        raise ValueError("a batch of more samples than a run can hold")
    return column


def number(value: Any) -> float:
    """Return a number from 0 up of which many still add up to a finite one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is not a number")
    if not 0 <= value <= LARGEST_NUMBER:
        raise ValueError(f"{value!r} is not a measurement")
    return float(value)


def count(value: Any) -> int:
    """Return an integer from 0 up of which many still add up to one of 63 bits."""
    if whole_number(value) > LARGEST_COUNT:
        raise ValueError(f"{value!r} is more than a run can hold")
    return int(value)


def whole_number(value: Any) -> int:
    """Return an integer from 0 up that fits into 63 bits."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError(f"{value!r} is not a count")
    return value


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a JSON object."""
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is not an object")
    return value


def text(value: Any) -> str:
    """Return a string."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a text")
    return value


def run_status(value: Any) -> str:
    """Return the name of a way to end."""
    if value not in get_args(RunStatus):
        raise ValueError(f"{value!r} is no status of a run")
    return text(value)
