"""Which line makes some batches slower than others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.analysis.findings.catalogue import EXPLAINED
from ocr_baseline.analysis.phases.builder import line_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocr_baseline.model.run import BatchTable


@dataclass(frozen=True)
class LineExcess:
    """The line that explains the excess: mean seconds that it adds to a slow batch."""

    line: str
    excess_s: float


def line_behind(
    table: BatchTable, slow: NDArray[np.bool_], usual: NDArray[np.bool_]
) -> LineExcess | None:
    """Return the line that makes up 80% of what slow batches take longer than usual ones.

    The limit is TraceML's for naming the cause of a straggler; below it no cause is named.

    Args:
        table: The batches.
        slow: Which batches are slow, shape (batches,).
        usual: Which batches they are compared with, shape (batches,).
    """
    if not slow.any() or not usual.any():
        return None
    excess_s = float(table.duration_s[slow].mean() - table.duration_s[usual].mean())
    by_line = {
        line: float(column[slow].mean(dtype=np.float64) - column[usual].mean(dtype=np.float64))
        for line, column in table.lines_s.items()
    }
    heaviest = max(by_line, key=by_line.__getitem__, default=None)
    if heaviest is None or excess_s <= 0 or by_line[heaviest] < EXPLAINED * excess_s:
        return None
    return LineExcess(line_name(heaviest), by_line[heaviest])
