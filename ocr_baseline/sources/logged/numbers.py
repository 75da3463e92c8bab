"""What loggers store for a number, read back: a finite number, a reason why not, or absence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

LARGEST_COUNT = 2.0**53
"""Beyond it a float does not hold every whole number: more is no count of anything in a run."""

LARGEST_FLOATS = frozenset((1.7976931348623157e308, 3.4028234663852886e38))
"""Of 64 and 32 bits: what stores and loggers keep where infinity was logged (MLflow's SQL does)."""

_REDUCTIONS = ("last", "mean")
"""Members of a nested value that stand for it, the best first (W&B's `define_metric`)."""


@dataclass(frozen=True)
class NotANumber:
    """A value that was logged but can't be used; `reason` completes "it was logged as …"."""

    reason: str


def read_number(value: object) -> float | NotANumber | None:
    """Return a logged value as a finite float, `NotANumber`, or None where nothing was logged.

    None and "" are absence, `NotANumber` stays. Numbers of any kind count, also as text and as
    tensors or arrays of one element; of a nested value `{"mean": x}` the member that stands for it.
    """
    if type(value) is float:  # nearly always, and a check of the abstract `Real` takes its time
        return _finite(value)
    if value is None:
        return None
    if isinstance(value, bool):
        return NotANumber("a boolean")
    if isinstance(value, Real):
        return _from_real(value)
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, NotANumber):
        return value
    if isinstance(value, Mapping):
        return _from_mapping(value)
    return _from_element(value)


def read_count(value: object) -> int | None:
    """Return a logged epoch or step as an int, or None when it is absent or no count."""
    number = read_number(value)
    if isinstance(number, float) and 0 <= number <= LARGEST_COUNT and number.is_integer():
        return int(number)
    return None


def is_reduced_mean(value: object) -> bool:
    """Say whether `read_number` takes the mean that a nested value holds."""
    return isinstance(value, Mapping) and "last" not in value and "mean" in value


def _finite(number: float) -> float | NotANumber:
    if math.isfinite(number):
        return number
    return NotANumber("NaN" if math.isnan(number) else "Infinity")


def _from_real(value: Real) -> float | NotANumber:
    try:
        return _finite(float(value))
    except OverflowError:
        return NotANumber("a number beyond all floats")


def _from_text(text: str) -> float | NotANumber | None:
    if not text.strip():
        return None
    if "_" in text:  # a number to Python alone
        return NotANumber("text")
    try:
        return _finite(float(text))
    except ValueError:
        return NotANumber("text")


def _from_mapping(value: Mapping[object, object]) -> float | NotANumber | None:
    if "_type" in value:
        return NotANumber(f"a media object ({value['_type']})")
    for member in _REDUCTIONS:
        if member in value:
            return read_number(value[member])
    return NotANumber("a mapping without 'last' or 'mean'")


def _from_element(value: object) -> float | NotANumber:
    item = getattr(value, "item", None)
    if not callable(item):
        return NotANumber(f"a {type(value).__name__}")
    try:
        return _finite(float(item()))
    except OverflowError:
        return NotANumber("a number beyond all floats")
    except (TypeError, ValueError, RuntimeError):  # torch raises RuntimeError for many elements
        return NotANumber(f"a {type(value).__name__} of several elements")
