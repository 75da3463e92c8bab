"""What a comparison can be asked for: margins, fields that differ on purpose, gated metrics.

Sizes are written as people write them: `5%`, `2 ms`, `80 MiB`, `50 samples/s`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ocr_baseline.comparison.metrics import METRICS, Metric
from ocr_baseline.errors import ComparisonError

if TYPE_CHECKING:
    from ocr_baseline.comparison.calibration import Calibration
    from ocr_baseline.comparison.sittings import SittingRule

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
class Margin:
    """The smallest change worth a verdict: a share of the base, or an amount in the unit."""

    relative: float | None = None
    absolute: float | None = None
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to compare.

    `margins` and `gates` name metrics by key (`train.batch_time`), by name in every phase
    (`batch_time`) or by a pattern. `across` names fields that differ on purpose. With `is_paired`
    the runs of both sides were taken in pairs, in order; else `sittings` says which runs share a
    sitting: as their times tell it, each by itself, or all.
    """

    margins: Mapping[str, Margin] = field(default_factory=dict)
    gates: tuple[str, ...] = ()
    across: tuple[str, ...] = ()
    is_paired: bool = False
    sittings: SittingRule = "auto"
    calibration: Calibration | None = None


def parse_margin(text: str) -> tuple[str, Margin]:
    """Return the metric's name and the margin of `batch_time=5%`, `batch_time=5%,1ms`.

    A number below 1 without a unit is a share; from 1 on it is refused, as 5 is rarely 500%.

    Raises:
        ComparisonError: When the text isn't a margin of a known metric.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise ComparisonError(f"{text!r} isn't a margin; write, for example, batch_time=5%")
    margin = Margin()
    for part in value.split(","):
        quantity = parse_quantity(part)
        if quantity.value < 0:
            raise ComparisonError(f"{text!r}: a margin can't be negative")
        if not quantity.unit and quantity.value >= 1:
            raise ComparisonError(
                f"{text!r}: {part.strip()} has no unit; did you mean {part.strip()}%?"
            )
        if quantity.unit in ("share", ""):
            margin = replace(margin, relative=quantity.value)
        else:
            margin = replace(margin, absolute=quantity.value, unit=quantity.unit)
    for metric in matching_metrics(name.strip()):
        if margin.unit and margin.unit != metric.unit:
            raise ComparisonError(
                f"{text!r}: the margin is in {margin.unit}, and {metric.key} in {metric.unit}"
            )
    return name.strip(), margin


def matching_metrics(name: str) -> list[Metric]:
    """Return the metrics that a key, a name in every phase or a pattern stands for.

    Raises:
        ComparisonError: When it stands for none.
    """
    found = [
        metric
        for metric in METRICS
        if metric.name == name or fnmatchcase(metric.key, name) or fnmatchcase(metric.name, name)
    ]
    if not found:
        known = [metric.key for metric in METRICS] + [metric.name for metric in METRICS]
        close = get_close_matches(name, known, n=1)
        hint = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(_names())}"
        raise ComparisonError(f"there is no metric {name!r}{hint}")
    return found


def configured_metrics(options: Options) -> tuple[Metric, ...]:
    """Return the table of metrics with the options' margins and gates in it.

    Raises:
        ComparisonError: When an option names no metric.
    """
    table = {metric.key: metric for metric in METRICS}
    for name, margin in options.margins.items():
        for metric in matching_metrics(name):
            table[metric.key] = _with_margin(table[metric.key], margin)
    if options.gates:
        gated = {metric.key for name in options.gates for metric in matching_metrics(name)}
        table = {key: replace(metric, is_gated=key in gated) for key, metric in table.items()}
    return tuple(table.values())


def _with_margin(metric: Metric, margin: Margin) -> Metric:
    """An amount alone replaces the margin in percent."""
    relative = 0.0 if margin.relative is None else margin.relative
    floor = metric.floor if margin.absolute is None else margin.absolute
    return replace(metric, margin=relative, floor=floor)


def _names() -> Sequence[str]:
    return sorted({metric.name for metric in METRICS})


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A number in an SI unit of the document; `unit` is empty when none was written."""

    value: float
    unit: str


def parse_quantity(text: str) -> Quantity:
    """Return the quantity that a text states; a percentage becomes a share of 1.

    Raises:
        ComparisonError: When the text isn't a number, or its unit is unknown.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ComparisonError(f"{text!r} isn't a quantity; write for example 5%, 2ms or 80MiB")
    known = _FACTORS.get(match["unit"])
    if known is None:
        units = ", ".join(unit for unit in _FACTORS if unit)
        raise ComparisonError(f"{text!r} has an unknown unit; known are {units}")
    value = float(match["number"]) * known[0]
    if not math.isfinite(value):
        raise ComparisonError(f"{text!r} isn't finite")
    return Quantity(value=value, unit=known[1])
