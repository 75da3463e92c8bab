"""W&B's system metrics → `MemorySamples`, as far as they mean the same thing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ocr_baseline.model.run import MemorySamples
from ocr_baseline.sources.logged.numbers import read_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

_BYTES_PER_MB = float(2**20)
"""The client divides resident bytes by 1024 * 1024 and calls it MB."""
_MAIN_RSS = ("system.proc.memory.rssMB", "proc.memory.rssMB")
_SYSTEM_PERCENT = ("system.memory_percent", "system.memory", "memory_percent", "memory")
"""Newer and older names, with the prefix of online runs and without it."""


def with_system_metrics(
    logged: MemorySamples | None, rows: Sequence[Mapping[str, object]]
) -> MemorySamples | None:
    """Return memory over time from the system metrics, with the accelerator's logged peaks.

    `proc.memory` is the main process alone: the tree's and the workers' columns stay NaN. The
    `gpu.N` values count the whole device, other programs too, and are left out.
    """
    import numpy as np

    main_rss = _column(rows, _MAIN_RSS) * _BYTES_PER_MB
    percent = _column(rows, _SYSTEM_PERCENT)
    read = np.isfinite(main_rss) | np.isfinite(percent)
    if not read.any():
        return logged
    unread = np.full(int(read.sum()), np.nan)
    samples = MemorySamples(
        at_s=_column(rows, ("_runtime",))[read],
        tree_rss_bytes=unread,
        main_rss_bytes=main_rss[read],
        workers_rss_bytes=unread,
        system_memory_percent=percent[read],
    )
    if logged is None:
        return samples
    return replace(
        samples,
        accelerator_allocated_peak_bytes=logged.accelerator_allocated_peak_bytes,
        accelerator_reserved_peak_bytes=logged.accelerator_reserved_peak_bytes,
    )


def _column(rows: Sequence[Mapping[str, object]], names: Sequence[str]) -> NDArray[np.float64]:
    import numpy as np

    return np.array([_first(row, names) for row in rows], dtype=np.float64)


def _first(row: Mapping[str, object], names: Sequence[str]) -> float:
    for name in names:
        number = read_number(row.get(name))
        if isinstance(number, float):
            return number
    return float("nan")
