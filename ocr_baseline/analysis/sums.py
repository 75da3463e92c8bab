"""Sums of which one unknown part makes the whole unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray


def sum_of(values: Iterable[float | None]) -> float | None:
    """Return the sum; None where a value isn't known, and where there is none."""
    known = list(values)
    total = sum(value for value in known if value is not None)
    return total if known and None not in known else None


def sum_of_column(column: NDArray[np.float64] | None) -> float | None:
    """Return the sum of a column, None where it isn't known."""
    return None if column is None else float(column.sum())
