"""The margin of a sampled share: Wilson's score interval.

Wilson (1927), recommended over the textbook interval for every sample size by Brown, Cai and
DasGupta (2001): it stays within 0 and 1 and holds its level at shares near both. Samples at a fixed
interval fall more evenly than independent ones, for which the interval was made: where a function
runs for longer than the interval at a time, the true margin is narrower.
"""

from __future__ import annotations

from math import sqrt

Z_95 = 1.96


def wilson_interval(hits: int, samples: int) -> tuple[float, float]:
    """Return the 95% interval of a share of which `hits` of `samples` were seen.

    Raises:
        ValueError: There are no samples.
    """
    if samples < 1:
        raise ValueError("a share of no samples has no interval")
    share = hits / samples
    spread = Z_95**2 / samples
    middle = share + spread / 2
    half_width = Z_95 * sqrt(share * (1 - share) / samples + spread / (4 * samples))
    low, high = (middle - half_width) / (1 + spread), (middle + half_width) / (1 + spread)
    return max(low, 0.0), min(high, 1.0)
