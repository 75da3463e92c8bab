"""Values of the user's objects as plain JSON values; anything else is left out."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

from ocr_baseline.model.privacy import MOST_BITS, redact_text
from ocr_baseline.records.format import LARGEST_COUNT
from ocr_baseline.signal_errors import suppress_failures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ocr_baseline.model.run import JsonValue


def plain_int(value: Any) -> int | None:
    """Return a whole number of any make (of NumPy, of torch), None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return int.__index__(value)  # by no method of a class of the user's
    if not hasattr(type(value), "__index__"):
        return None
    with suppress_failures():  # an object of the user's may raise anything
        return operator.index(value)
    return None


def known_count(value: Any) -> int | None:
    """Return a whole number that records can hold as a count; None for anything else."""
    whole = plain_int(value)
    return whole if whole is not None and 0 <= whole <= LARGEST_COUNT else None


def plain_value(value: Any) -> JsonValue:
    """Return a number, truth value or text as JSON has them.

    Raises:
        TypeError: When it is something else.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    whole = plain_int(value)
    if whole is not None:
        if whole.bit_length() > MOST_BITS:
            raise TypeError(f"a whole number of {whole.bit_length()} bits isn't a JSON value")
        return whole
    number = float(value) if isinstance(value, float) else _scalar(value)
    if isinstance(number, float):
        return number if math.isfinite(number) else None
    return plain_value(number)


def _scalar(value: Any) -> Any:
    """Return what a scalar of NumPy holds."""
    if type(value).__module__.partition(".")[0] != "numpy":
        raise TypeError(f"a {type(value).__name__} isn't a JSON value")
    held = value.item()
    if not isinstance(held, bool | float | str):
        raise TypeError(f"a {type(value).__name__} isn't a JSON value")
    return held


def known_values(readings: Mapping[str, Callable[[], Any]]) -> dict[str, JsonValue]:
    """Return what can be read and is a plain value; the rest isn't known and left out."""
    known: dict[str, JsonValue] = {}
    for name, read in readings.items():
        with suppress_failures():  # an attribute of the user's object may raise anything
            known[name] = plain_value(read())
    return known


def known_text(read: Callable[[], Any]) -> str | None:
    """Return the text of what is read, redacted; None where it can't be read."""
    with suppress_failures():  # a logger of the user's may raise anything
        value = read()
        return None if value is None else redact_text(str(value))
    return None
