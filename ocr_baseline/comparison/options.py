"""What a comparison can be asked for: margins, fields that differ on purpose, gated metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ocr_baseline.comparison.metrics import METRICS, Metric
from ocr_baseline.comparison.quantities import parse_quantity
from ocr_baseline.errors import ComparisonError

if TYPE_CHECKING:
    from ocr_baseline.comparison.calibration import Calibration


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
    the runs of both sides were taken in pairs, in order.
    """

    margins: Mapping[str, Margin] = field(default_factory=dict)
    gates: tuple[str, ...] = ()
    across: tuple[str, ...] = ()
    is_paired: bool = False
    calibration: Calibration | None = None


def parse_margin(text: str) -> tuple[str, Margin]:
    """Return the metric's name and the margin of `batch_time=5%`, `batch_time=5%,1ms`.

    Raises:
        ComparisonError: When the text is no margin of a known metric.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise ComparisonError(f"{text!r} is no margin; write for example batch_time=5%")
    margin = Margin()
    for part in value.split(","):
        quantity = parse_quantity(part)
        if quantity.value < 0:
            raise ComparisonError(f"{text!r}: a margin can't be negative")
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
