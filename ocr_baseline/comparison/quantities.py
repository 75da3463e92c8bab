"""Sizes that people write: `5 %`, `2 ms`, `80 MiB`, `50 samples/s`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ocr_baseline.errors import ComparisonError

_FACTORS: dict[str, tuple[float, str]] = {
    "": (1.0, ""),
    "%": (0.01, "share"),
    "ns": (1e-9, "s"),
    "us": (1e-6, "s"),
    "µs": (1e-6, "s"),
    "ms": (1e-3, "s"),
    "s": (1.0, "s"),
    "min": (60.0, "s"),
    "h": (3600.0, "s"),
    "B": (1.0, "bytes"),
    "KB": (1e3, "bytes"),
    "MB": (1e6, "bytes"),
    "GB": (1e9, "bytes"),
    "KiB": (1024.0, "bytes"),
    "MiB": (1024.0**2, "bytes"),
    "GiB": (1024.0**3, "bytes"),
    "x": (1.0, "ratio"),
    "samples/s": (1.0, "samples/s"),
}
_QUANTITY = re.compile(
    r"\s*(?P<number>[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)\s*(?P<unit>\S*)\s*"
)


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A number in an SI unit of the document; `unit` is empty when none was written."""

    value: float
    unit: str


def parse_quantity(text: str) -> Quantity:
    """Return the quantity that a text states; a percentage becomes a share of 1.

    Raises:
        ComparisonError: When the text is no number, or its unit is unknown.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ComparisonError(f"{text!r} is no quantity; write for example 5%, 2ms or 80MiB")
    known = _FACTORS.get(match["unit"])
    if known is None:
        units = ", ".join(unit for unit in _FACTORS if unit)
        raise ComparisonError(f"{text!r} has an unknown unit; known are {units}")
    value = float(match["number"]) * known[0]
    if not math.isfinite(value):
        raise ComparisonError(f"{text!r} is no finite quantity")
    return Quantity(value=value, unit=known[1])
