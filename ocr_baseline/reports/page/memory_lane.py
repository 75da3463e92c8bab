"""Memory on the axis of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.reports.page import axes, paths
from ocr_baseline.reports.page.series import in_columns
from ocr_baseline.reports.text import formatting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocr_baseline.model.run import MemorySamples

HEIGHT = 92
UNITS = 920
COLUMNS = 300
TICKS = 3
_COLUMNS_OF = (
    ("process tree", "memory-tree", "tree_rss_bytes"),
    ("main process", "memory-main", "main_rss_bytes"),
    ("loader workers", "memory-workers", "workers_rss_bytes"),
    ("accelerator, allocated", "memory-allocated", "accelerator_allocated_bytes"),
    ("accelerator, reserved", "memory-reserved", "accelerator_reserved_bytes"),
)


@dataclass(frozen=True, kw_only=True)
class MemoryLine:
    """A quantity of memory: of each pixel column its highest value."""

    name: str
    css: str
    peak: float
    path: str
    area: str


@dataclass(frozen=True, kw_only=True)
class MemoryLane:
    """The lane below the batches."""

    lines: Sequence[MemoryLine]
    ticks: Sequence[axes.Tick]
    high: float
    hover: dict[str, object]


def memory_lane(samples: MemorySamples | None, end_s: float) -> MemoryLane | None:
    """Return the lane, None where no memory was read."""
    read = dict(_read(samples))
    if samples is None or not read:
        return None
    high = 1.08 * max(float(np.nanmax(values)) for values in read.values())
    lines: list[MemoryLine] = []
    hover: list[dict[str, object]] = []
    for name, css, _ in _COLUMNS_OF:
        if name not in read:
            continue
        columns = in_columns(samples.at_s, read[name], end_s, COLUMNS)
        x = paths.x_units(columns.at_s, end_s)
        y = paths.y_units(columns.high, high, UNITS)
        lines.append(
            MemoryLine(
                name=name,
                css=css,
                peak=float(columns.high.max()),
                path=paths.line(x, y),
                area=paths.area(x, y, UNITS) if css == "memory-tree" else "",
            )
        )
        t_ms = np.rint(columns.at_s * 1e3).astype(np.int64)
        mib = np.rint(columns.high / 2**20).astype(np.int64)
        hover.append(
            {
                "name": name,
                "t": np.diff(t_ms, prepend=0).tolist(),
                "mib": np.diff(mib, prepend=0).tolist(),
            }
        )
    return MemoryLane(
        lines=lines,
        ticks=axes.byte_ticks(high, TICKS, formatting.byte_size),
        high=high,
        hover={"lines": hover},
    )


def _read(samples: MemorySamples | None) -> list[tuple[str, NDArray[np.float64]]]:
    """Return name and values of what was read at least once and isn't 0 throughout."""
    if samples is None:
        return []
    columns = [(name, getattr(samples, field)) for name, _, field in _COLUMNS_OF]
    return [
        (name, values)
        for name, values in columns
        if values is not None and np.isfinite(values).any() and np.nanmax(values) > 0
    ]
