"""What is drawn of very many values: of each column the lowest, the middle and the highest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_POINTS = 2000
"""So many batches of a run are drawn one by one."""
COLUMNS = 700


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Values in columns of equal width on the axis of time; all arrays have shape (columns,).

    `at_s` is the middle of each column that has values, `count` how many it has.
    """

    at_s: NDArray[np.float64]
    count: NDArray[np.int64]
    low: NDArray[np.float64]
    middle: NDArray[np.float64]
    high: NDArray[np.float64]


def in_columns(
    at_s: NDArray[np.float64], values: NDArray[np.float64], end_s: float, columns: int = COLUMNS
) -> Columns:
    """Return the values by column, those that aren't finite left out.

    Args:
        at_s: Instants, shape (values,).
        values: The values, shape (values,).
        end_s: Where the axis ends; it begins at 0.
        columns: How many columns the axis has.
    """
    finite = np.isfinite(values) & np.isfinite(at_s)
    if not finite.all():
        at_s, values = at_s[finite], values[finite]
    if (at_s[1:] < at_s[:-1]).any():  # batches of one stage are in order
        order = np.argsort(at_s, kind="stable")
        at_s, values = at_s[order], values[order]
    width_s = end_s / columns if end_s > 0 else 1.0
    first = np.searchsorted(at_s, np.arange(1, columns) * width_s)
    count = np.diff(first, prepend=0, append=len(at_s))
    taken = np.flatnonzero(count)
    parts = [part for part in np.split(values, first) if len(part)]
    return Columns(
        at_s=np.asarray((taken + 0.5) * width_s, dtype=np.float64),
        count=count[taken],
        low=np.asarray([part.min() for part in parts], dtype=np.float64),
        middle=np.asarray([np.median(part) for part in parts], dtype=np.float64),
        high=np.asarray([part.max() for part in parts], dtype=np.float64),
    )
