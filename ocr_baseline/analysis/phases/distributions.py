"""Statistics of times: distributions, block means, and the interval of a ratio."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocr_baseline.analysis.phases.batch_statistics import statistics
from ocr_baseline.model.document import Distribution, Ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONFIDENCE = 0.95
MIN_VALUES_FOR_INTERVAL = 4


class MeanError(NamedTuple):
    """A mean, its standard error and the degrees of freedom of that error."""

    mean: float
    error: float
    degrees_of_freedom: int


def distribution(values_s: NDArray[np.float64]) -> Distribution:
    """Return the statistics of times in seconds, shape (n,); of none, a count of 0 alone."""
    if len(values_s) == 0:
        return Distribution(count=0)
    return Distribution(
        count=len(values_s),
        **statistics(values_s)._asdict(),
        min=float(values_s.min()),
        max=float(values_s.max()),
    )


def block_means(values_s: NDArray[np.float64]) -> tuple[float, ...]:
    """Return the means of ceil(sqrt(n)) consecutive blocks of times, none below four values.

    Neighbouring batches resemble each other; the means of such blocks hardly do (the batch-means
    method: Law, Simulation Modeling and Analysis, 5th ed., 9.5.3).

    Args:
        values_s: Times in the order in which they were taken, shape (n,).
    """
    if len(values_s) < MIN_VALUES_FOR_INTERVAL:
        return ()
    blocks = np.array_split(values_s, math.ceil(math.sqrt(len(values_s))))
    return tuple(float(block.mean()) for block in blocks)


def block_mean_error(values_s: NDArray[np.float64]) -> MeanError | None:
    """Return the mean of autocorrelated times with an error from `block_means`, None without them.

    The error of single values would be too small, because neighbours resemble each other.

    Args:
        values_s: Times in the order in which they were taken, shape (n,).
    """
    means = block_means(values_s)
    if not means:
        return None
    error = float(np.std(means, ddof=1)) / math.sqrt(len(means))
    return MeanError(float(values_s.mean()), error, len(means) - 1)


def ratio(
    numerator: float, denominator: float, above: MeanError | None, below: MeanError | None
) -> Ratio:
    """Return a ratio of two times with its 95% interval, where both errors are known.

    The logarithm of the ratio is taken as normal with the relative errors' squares summed (delta
    method), and Welch's degrees of freedom. It describes this run; it says nothing of the spread
    between runs.

    Args:
        numerator: The time above the line, in seconds.
        denominator: The time below the line, in seconds, not 0.
        above: Error of the numerator.
        below: Error of the denominator.
    """
    value = numerator / denominator
    if above is None or below is None or value <= 0:
        return Ratio(value=value)
    from scipy.special import stdtrit

    parts = [(above.error / numerator) ** 2, (below.error / denominator) ** 2]
    variance = sum(parts)
    if variance == 0:
        return Ratio(value=value, low=value, high=value)
    freedom = variance**2 / (
        parts[0] ** 2 / above.degrees_of_freedom + parts[1] ** 2 / below.degrees_of_freedom
    )
    half_width = float(stdtrit(freedom, 0.5 + CONFIDENCE / 2)) * math.sqrt(variance)
    low, high = value * math.exp(-half_width), value * math.exp(min(half_width, 50.0))
    return Ratio(value=value, low=low, high=high)
