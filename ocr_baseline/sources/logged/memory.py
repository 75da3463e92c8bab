"""Logged memory values → `MemorySamples`, in bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.model.run import MemorySamples, Missing
from ocr_baseline.sources.logged.keys import MEMORY
from ocr_baseline.sources.logged.numbers import NotANumber

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ocr_baseline.sources.logged.values import LoggedValue

BYTES_PER_LOGGED_GB = float(2**30)
"""What `torch.cuda.memory_allocated() / 1024**3` counts as one."""


def memory_of(
    values: Sequence[LoggedValue],
) -> tuple[MemorySamples | None, list[Missing], list[str]]:
    """Return memory from the values of memory keys, what is missing, and warnings.

    Who logged the accelerator's figures may have read them at single moments: the highest is then
    a lower bound of the peak, and a warning says so. The columns of process memory are NaN: no key
    has them.
    """
    numbers = {name: _numbers(values, name) for name in MEMORY}
    missing = [_missing(name, values) for name in MEMORY if not numbers[name]]
    if not any(numbers.values()):
        return None, missing, []
    return _samples(values, numbers), missing, _warnings(numbers)


def _numbers(values: Sequence[LoggedValue], name: str) -> list[float]:
    named = [value.number for value in values if value.key.name == name]
    return [number for number in named if not isinstance(number, NotANumber)]


def _samples(
    values: Sequence[LoggedValue], numbers: Mapping[str, Sequence[float]]
) -> MemorySamples:
    import numpy as np

    percents = [
        (value.at_s, value.number)
        for value in values
        if value.key.name == "cpu_memory_percent" and not isinstance(value.number, NotANumber)
    ]
    unread = np.full(len(percents), np.nan)
    return MemorySamples(
        at_s=np.array([np.nan if at_s is None else at_s for at_s, _ in percents], dtype=float),
        tree_rss_bytes=unread,
        main_rss_bytes=unread,
        workers_rss_bytes=unread,
        system_memory_percent=np.array([percent for _, percent in percents], dtype=float),
        accelerator_allocated_peak_bytes=_highest_bytes(numbers["gpu_memory_gb"]),
        accelerator_reserved_peak_bytes=_highest_bytes(numbers["gpu_memory_reserved_gb"]),
    )


def _highest_bytes(gigabytes: Sequence[float]) -> float | None:
    return max(gigabytes) * BYTES_PER_LOGGED_GB if gigabytes else None


def _warnings(numbers: Mapping[str, Sequence[float]]) -> list[str]:
    readings = len(numbers["gpu_memory_gb"]) or len(numbers["gpu_memory_reserved_gb"])
    if not readings:
        return []
    return [
        f"Accelerator memory is the highest of {readings} logged values: the peak where "
        "PerformanceProfilerCallback logged them, a lower bound of it where they are readings of "
        "single moments."
    ]


def _missing(name: str, values: Sequence[LoggedValue]) -> Missing:
    logged = [value.number for value in values if value.key.name == name]
    reasons = sorted({number.reason for number in logged if isinstance(number, NotANumber)})
    if reasons:
        detail = f"performance/{name} was logged as {', '.join(reasons)}"
        return Missing(metric=MEMORY[name], reason="failed", detail=detail)
    detail = f"no performance/{name} was logged"
    return Missing(metric=MEMORY[name], reason="not_collected", detail=detail)
