"""The statistics of batch times, for the report and for the metrics that a run logs of itself.

A training imports this as it starts, so it needs numpy alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Statistics(NamedTuple):
    """Statistics in the unit of the values; `std` is the sample deviation, None of one value."""

    mean: float
    median: float
    p95: float
    p99: float
    std: float | None


def statistics(values: NDArray[np.float64]) -> Statistics:
    """Return the statistics of values of shape (n,), at least one."""
    median, p95, p99 = np.percentile(values, [50, 95, 99])
    return Statistics(
        mean=float(values.mean()),
        median=float(median),
        p95=float(p95),
        p99=float(p99),
        std=float(values.std(ddof=1)) if len(values) > 1 else None,
    )
