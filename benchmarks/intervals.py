"""A median with its interval, for benchmarks that compare rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

RESAMPLES = 2000


class Median(NamedTuple):
    """A median over rounds and its 95% interval by bootstrap."""

    value: float
    low: float
    high: float

    def text(self, digits: int) -> str:
        """Return it as a cell of a table: a difference, with its sign."""
        return f"{self.value:+.{digits}f} [{self.low:+.{digits}f}, {self.high:+.{digits}f}]"


def median_of(rounds: Sequence[float]) -> Median:
    """Return the median and its interval; the rounds may come in any order."""
    values = np.asarray(rounds, dtype=np.float64)
    resampled = np.random.default_rng(0).choice(values, size=(RESAMPLES, len(values)))
    low, high = np.percentile(np.median(resampled, axis=1), [2.5, 97.5])
    return Median(float(np.median(values)), float(low), float(high))
