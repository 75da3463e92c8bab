"""Verdicts from intervals, and how many runs would settle them.

A change counts when its whole interval lies beyond the margin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.comparison.intervals import Estimate
    from ocr_baseline.comparison.metrics import Better


Verdict = Literal[
    "regression", "improvement", "unchanged", "suspected", "inconclusive", "incomparable"
]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
MIN_RUNS = 5
MIN_HISTORY = 8
SIGNIFICANCE = 0.05
MAX_UNADJUSTED = 3
"""With more gated metrics than this, their p-values are adjusted (Benjamini and Hochberg)."""
_UNCONFIRMED = ("too few runs", "within run")
CONFIDENCE = 0.95
POWER = 0.8
MAX_RUNS = 100


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A verdict and why; `needed_runs` per side would settle it, where that is known.

    `is_out_of_reach` says that even `MAX_RUNS` per side wouldn't, at this spread.
    `is_settled` is False for verdicts that say that nothing can be said.
    """

    verdict: Verdict
    reason: str = ""
    needed_runs: int | None = None
    is_out_of_reach: bool = False
    is_settled: bool = True


def judge(estimate: Estimate, margin: float, better: Better, sizes: tuple[int, int]) -> Judgement:
    """Return the verdict on one metric.

    Args:
        estimate: The change, on the metric's scale.
        margin: The smallest change worth a verdict, on the same scale.
        better: Which direction is better.
        sizes: Runs of the base and of the new side.
    """
    low, high, change = _worse_is_positive(estimate, better)
    if estimate.method in _UNCONFIRMED:
        return _unconfirmed(estimate, low, high, change, margin, sizes)
    if low is None or high is None:
        raise ValueError(f"an estimate of method {estimate.method!r} has an interval")
    if estimate.reach is not None:
        beyond = max(estimate.reach, margin)
        if abs(change) > beyond:
            return Judgement(verdict="regression" if change > 0 else "improvement")
    elif low > margin:
        return _checked(Judgement(verdict="regression"), estimate)
    elif high < -margin:
        return _checked(Judgement(verdict="improvement"), estimate)
    if (-margin < low and high < margin) or low == high == 0:
        return Judgement(verdict="unchanged")
    if low > 0 or high < 0:
        return Judgement(
            verdict="suspected",
            reason="a change is likely, but it may be smaller than the margin",
            needed_runs=_needed(estimate, abs(abs(change) - margin), sizes),
        )
    needed = _needed(estimate, margin, sizes)
    return Judgement(
        verdict="inconclusive",
        reason="the interval includes both no change and a change beyond the margin",
        needed_runs=needed,
        is_out_of_reach=needed is None and _has_spread_of_sets(estimate),
        is_settled=False,
    )


def adjusted(judgements: Sequence[Judgement], p_values: Sequence[float | None]) -> list[Judgement]:
    """Return the judgements of the gated metrics with their number taken into account.

    Of many metrics one is often beyond its margin by chance. With more than three of them their
    p-values go through Benjamini and Hochberg's procedure, and a confirmed change whose adjusted
    p-value is above 5% is only suspected.
    """
    known = [p for p in p_values if p is not None]
    if len(known) <= MAX_UNADJUSTED:
        return list(judgements)
    from scipy.stats import false_discovery_control

    corrected = iter(false_discovery_control(known).tolist())
    result = []
    for judgement, p in zip(judgements, p_values, strict=True):
        is_weak = p is not None and next(corrected) > SIGNIFICANCE
        if is_weak and judgement.verdict in ("regression", "improvement"):
            reason = f"among {len(known)} metrics, one is often this far off by chance"
            result.append(replace(judgement, verdict="suspected", reason=reason))
        else:
            result.append(judgement)
    return result


def _worse_is_positive(
    estimate: Estimate, better: Better
) -> tuple[float | None, float | None, float]:
    if better == "lower":
        return estimate.low, estimate.high, estimate.change
    low = None if estimate.high is None else -estimate.high
    high = None if estimate.low is None else -estimate.low
    return low, high, -estimate.change


def _unconfirmed(
    estimate: Estimate,
    low: float | None,
    high: float | None,
    change: float,
    margin: float,
    sizes: tuple[int, int],
) -> Judgement:
    """Without the spread between runs the verdict never goes beyond `suspected`."""
    needed = _needed(estimate, margin, sizes) or MIN_RUNS
    reason = (
        f"{sizes[0]} v {sizes[1]} runs say too little about run-to-run variation without "
        f"a calibration or a history of {MIN_HISTORY}"
    )
    is_off = low is not None and high is not None and (low > 0 or high < 0)
    is_suspect = is_off and abs(change) > margin
    return Judgement(
        verdict="suspected" if is_suspect else "inconclusive",
        reason=reason,
        needed_runs=needed,
        is_settled=False,
    )


def _checked(judgement: Judgement, estimate: Estimate) -> Judgement:
    if estimate.rank_p_value is not None and estimate.rank_p_value > SIGNIFICANCE:
        return Judgement(
            verdict="suspected",
            reason="a rank test doesn't confirm it, and a few runs account for the change",
        )
    return judgement


def _needed(estimate: Estimate, effect: float, sizes: tuple[int, int]) -> int | None:
    """Return how many runs per side detect the effect, more than there are; None when unknown."""
    if estimate.spread is None or not _has_spread_of_sets(estimate):
        return None
    needed = runs_needed(estimate.spread, effect)
    return None if needed is None else max(MIN_RUNS, needed, min(sizes) + 1)


def _has_spread_of_sets(estimate: Estimate) -> bool:
    """Whether the estimate knows a spread that more runs per side would make up for."""
    return estimate.spread is not None and estimate.method not in ("history", "exact")


@lru_cache(maxsize=512)
def detectable_effect(runs: int) -> float:
    """Return the smallest change, in standard deviations of a run, that `runs` per side detect.

    Two sets of equal spread, a two-sided t test at 5%, a power of 80% (the non-central t
    distribution): 3.0 for 3 per side, 2.0 for 5, 1.3 for 10, 0.9 for 20.

    Args:
        runs: Runs per side, at least two.
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
    """Return how many runs per side detect `effect` at this spread; None when more than 100.

    Args:
        spread: Standard deviation of one run, on the metric's scale.
        effect: The change to detect, on the same scale.
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
