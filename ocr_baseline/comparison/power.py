"""How many runs it takes to tell a change of a given size."""

from __future__ import annotations

import math
from functools import lru_cache

CONFIDENCE = 0.95
POWER = 0.8
MAX_RUNS = 100


@lru_cache(maxsize=512)
def detectable_effect(runs: int) -> float:
    """Return the smallest change, in standard deviations of a run, that `runs` a side tell apart.

    Two sets of equal spread, a two-sided t test at 5%, a power of 80% (the non-central t
    distribution): 3.0 for 3 a side, 2.0 for 5, 1.3 for 10, 0.9 for 20.

    Args:
        runs: Runs a side, at least two.
    """
    from scipy.optimize import brentq
    from scipy.stats import nct, t

    freedom = 2 * runs - 2
    critical = float(t.ppf(0.5 + CONFIDENCE / 2, freedom))
    scale = math.sqrt(runs / 2)

    def shortfall(effect: float) -> float:
        return float(nct.sf(critical, freedom, effect * scale)) - POWER

    return float(brentq(shortfall, 0.01, 20.0))


def runs_needed(spread: float, effect: float) -> int | None:
    """Return how many runs a side tell `effect` at this spread; None when more than 100.

    Args:
        spread: Standard deviation of one run, on the metric's scale.
        effect: The change to tell from none, on the same scale.
    """
    if effect <= 0:
        return None
    low, high = 2, MAX_RUNS
    if detectable_effect(high) * spread > effect:
        return None
    while low < high:
        middle = (low + high) // 2
        if detectable_effect(middle) * spread <= effect:
            high = middle
        else:
            low = middle + 1
    return low
