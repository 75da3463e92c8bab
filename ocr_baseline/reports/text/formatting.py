"""The one module that scales and rounds: SI values in, short texts for people out.

Three significant digits, the unit after a space. Every function takes None (and a float that is
not finite) for a value that was not measured.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

NOT_MEASURED = "not measured"
BAR_WIDTH = 20
_EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")

_DURATION_UNITS = ((1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"), (1.0, "s"))
_BYTE_UNITS = ((1, "B"), (1024, "KiB"), (1024**2, "MiB"), (1024**3, "GiB"), (1024**4, "TiB"))
_FLOP_UNITS = ((1e6, "MFLOP/s"), (1e9, "GFLOP/s"), (1e12, "TFLOP/s"), (1e15, "PFLOP/s"))
_SIGNS = {True: "+", False: ""}


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats, in a file of anybody's
        return False


def is_measured(value: float | None) -> bool:
    """Whether the value can be shown: neither None nor NaN nor infinite."""
    return value is not None and _is_finite(value)


def duration(seconds: float | None, *, signed: bool = False) -> str:
    """Return `412 ms`, `16.3 s`, `2 min 05 s` or `1 h 03 min`; `signed` marks gains with a plus."""
    if seconds is None or not _is_finite(seconds):
        return NOT_MEASURED
    size = abs(seconds)
    sign = "-" if seconds < 0 else _SIGNS[signed and seconds > 0]
    if size == 0:
        return "0 s"
    if round(size) >= 3600:
        hours, minutes = divmod(round(size / 60), 60)
        return f"{sign}{hours:,} h {minutes:02d} min"
    if size >= 59.95:
        minutes, rest_s = divmod(round(size), 60)
        return f"{sign}{minutes} min {rest_s:02d} s"
    return sign + _scaled(size, _DURATION_UNITS, step=1000)


def whole_seconds(seconds: float | None) -> str:
    """Return `6 s`, `2 min 05 s` or `1 h 03 min`, for what is only roughly known."""
    if seconds is None or not _is_finite(seconds) or abs(seconds) >= 59.5:
        return duration(seconds)
    return f"{seconds:.0f} s"


def byte_size(count: float | None, *, signed: bool = False) -> str:
    """Return `1.23 GiB`, in units of 1024."""
    if count is None or not _is_finite(count):
        return NOT_MEASURED
    sign = "-" if count < 0 else _SIGNS[signed and count > 0]
    size = abs(count)
    if size < 1023.5:
        return f"{sign}{size:.0f} B"
    return sign + _scaled(size, _BYTE_UNITS, step=1024)


def share(fraction: float | None) -> str:
    """Return a fraction of a whole as `13.4%`, never rounding something to nothing or to all."""
    if fraction is None or not _is_finite(fraction):
        return NOT_MEASURED
    if fraction == 0:
        return "0%"
    if abs(fraction) < 0.0005:
        return "< 0.1%" if fraction > 0 else "> -0.1%"
    if 0.9995 <= fraction < 1:
        return "> 99.9%"
    return percent(fraction * 100)


def change(fraction: float | None) -> str:
    """Return a relative change as `+9.2%`, with two decimals below one percent."""
    if fraction is None or not _is_finite(fraction):
        return NOT_MEASURED
    value = fraction * 100
    if value == 0:
        return "0%"
    if abs(value) < 0.005:
        return "< +0.01%" if value > 0 else "> -0.01%"
    return f"{value:+.2f}%" if abs(value) < 0.995 else f"{value:+,.1f}%"


def points(difference: float | None) -> str:
    """Return the difference of two shares as `+2.1 points` (of a percent)."""
    if difference is None or not _is_finite(difference):
        return NOT_MEASURED
    value = difference * 100
    if value == 0:
        return "0 points"
    return f"{value:+.2f} points" if abs(value) >= 0.005 else f"{_SIGNS[value > 0]}< 0.01 points"


def percent(value: float | None) -> str:
    """Return a value that is in percent already as `41.3%`."""
    if value is None or not _is_finite(value):
        return NOT_MEASURED
    return "100%" if value == 100 else f"{value:.1f}%"


def times(value: float | None) -> str:
    """Return how many times as much, without a unit: `2.8`, `0.32`, `12.4`."""
    if value is None or not _is_finite(value):
        return NOT_MEASURED
    if 0 < value < 0.005:
        return "< 0.01"
    if value < 1.995:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def ratio(value: float | None) -> str:
    """Return `2.8x`."""
    return times(value) + "x" if is_measured(value) else NOT_MEASURED


def count(value: float | None) -> str:
    """Return a whole number with thousands set apart: `12,345`."""
    if value is None or not _is_finite(value):
        return NOT_MEASURED
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def number(value: float | None) -> str:
    """Return a number of three significant digits."""
    if value is None or not _is_finite(value):
        return NOT_MEASURED
    if value == 0:
        return "0"
    return ("-" if value < 0 else "") + _significant(abs(value))


def samples_per_s(value: float | None) -> str:
    """Return a throughput: `81.3 samples/s`."""
    return f"{number(value)} samples/s" if is_measured(value) else NOT_MEASURED


def flops_per_s(value: float | None) -> str:
    """Return a rate of floating-point operations: `412 GFLOP/s`."""
    if value is None or not _is_finite(value):
        return NOT_MEASURED
    return "0 FLOP/s" if value <= 0 else _scaled(value, _FLOP_UNITS, step=1000)


def bytes_per_min(value: float | None) -> str:
    """Return a growth of memory: `+1.20 MiB/min`."""
    return f"{byte_size(value, signed=True)}/min" if is_measured(value) else NOT_MEASURED


def instant(moment: datetime | None) -> str:
    """Return `2026-03-01 12:00:05 UTC`, or the moment's own offset where it has another."""
    if moment is None:
        return NOT_MEASURED
    return moment.strftime("%Y-%m-%d %H:%M:%S %Z").strip()


def quantity(value: float | None, unit: str) -> str:
    """Return a value in a unit as the document names it: `s`, `bytes`, `share` and so on."""
    if value is None or not _is_finite(value):
        return NOT_MEASURED
    formatter = _BY_UNIT.get(unit)
    return formatter(value) if formatter else f"{number(value)} {unit}".strip()


def bar(fraction: float | None, width: int = BAR_WIDTH) -> str:
    """Return a fraction between 0 and 1 as `####......`, in characters that every font has."""
    if fraction is None or not _is_finite(fraction):
        return ""
    filled = round(min(1.0, max(0.0, fraction)) * width)
    return "#" * filled + "." * (width - filled)


def block_bar(fraction: float | None, width: int = BAR_WIDTH) -> str:
    """Return a fraction between 0 and 1 as `████▌`, exact to an eighth of a block."""
    if fraction is None or not _is_finite(fraction):
        return ""
    whole, eighths = divmod(round(min(1.0, max(0.0, fraction)) * width * 8), 8)
    return "█" * whole + _EIGHTHS[eighths]


def _scaled(size: float, units: tuple[tuple[float, str], ...], *, step: int) -> str:
    """Return a positive size in the largest unit that shows it below `step`, rounding included."""
    for factor, unit in units:
        if size / factor < step - 0.5:
            return f"{_significant(size / factor)} {unit}"
    factor, unit = units[-1]
    return f"{size / factor:,.0f} {unit}"


def _significant(size: float) -> str:
    """Return a positive number with three significant digits and never as 0.00."""
    if size < 0.005:
        return "< 0.01"
    if size < 9.995:
        return f"{size:.2f}"
    return f"{size:.1f}" if size < 99.95 else f"{size:,.0f}"


_BY_UNIT: dict[str, Callable[[float], str]] = {
    "s": duration,
    "bytes": byte_size,
    "share": share,
    "ratio": ratio,
    "percent": percent,
    "%": percent,
    "count": count,
    "1": number,
    "samples/s": samples_per_s,
    "bytes/min": bytes_per_min,
    "FLOP/s": flops_per_s,
}
