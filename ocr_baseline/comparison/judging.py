"""Verdicts from intervals: one rule for any number of runs.

A change is confirmed when it lies beyond the margin and chance makes one this large in at most two
of a hundred comparisons, so that its 95% interval leaves out 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

from ocr_baseline.comparison.designs import MIN_HISTORY, MIN_RUNS
from ocr_baseline.comparison.intervals import MAX_P_VALUE
from ocr_baseline.comparison.power import runs_needed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.comparison.intervals import Estimate, Unit
    from ocr_baseline.comparison.metrics import Better


Verdict = Literal[
    "regression", "improvement", "unchanged", "suspected", "inconclusive", "incomparable"
]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
SIGNIFICANCE = 0.05
MAX_UNADJUSTED = 3
"""With more gated metrics than this, their p-values are adjusted (Benjamini and Hochberg)."""
SMALL = "a change is likely, but it may be smaller than the margin"
UNSURE = "a change is likely, but chance makes one this large in more than 2 of 100 comparisons"
STANDS_OUT = "some runs lie far from the others, and a few new ones can't be told from those"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A verdict and why; `needed_runs` per side would settle it, where that is known.

    `needed_unit` is what must be so many: runs, or sittings. `is_out_of_reach` says that even a
    hundred per side wouldn't, at this spread. `is_settled` is False for verdicts that say that
    nothing can be said.
    """

    verdict: Verdict
    reason: str = ""
    needed_runs: int | None = None
    needed_unit: Unit = "run"
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
    low, high, change = estimate.low, estimate.high, estimate.change
    if not estimate.is_enough or low is None or high is None:
        return _unconfirmed(estimate, margin, sizes)
    is_certain = estimate.p_value is None or estimate.p_value <= MAX_P_VALUE
    if abs(change) > margin and is_certain:
        is_worse = (change > 0) == (better == "lower")
        return Judgement(verdict="regression" if is_worse else "improvement")
    if (-margin < low and high < margin) or low == high == 0:
        return Judgement(verdict="unchanged")
    if low > 0 or high < 0:
        reason = SMALL if abs(change) <= margin else UNSURE
        reason = STANDS_OUT if estimate.some_stand_out and reason == UNSURE else reason
        return _with_need(Judgement(verdict="suspected", reason=reason), estimate, margin, change)
    judgement = Judgement(
        verdict="inconclusive",
        reason="the interval includes both no change and a change beyond the margin",
        is_settled=False,
    )
    return _with_need(judgement, estimate, margin, 0.0)


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


def _unconfirmed(estimate: Estimate, margin: float, sizes: tuple[int, int]) -> Judgement:
    """Without the spread of what was drawn anew the verdict never goes beyond `suspected`."""
    is_off = estimate.low is not None and estimate.high is not None
    is_off = is_off and (estimate.low or 0.0) * (estimate.high or 0.0) > 0
    judgement = Judgement(
        verdict="suspected" if is_off and abs(estimate.change) > margin else "inconclusive",
        reason=_too_little(estimate, sizes),
        is_settled=False,
    )
    return judgement if estimate.unit == "sitting" else _with_need(judgement, estimate, margin, 0.0)


def _too_little(estimate: Estimate, sizes: tuple[int, int]) -> str:
    if estimate.method == "one sitting a side":
        return (
            "each side was measured in a sitting of its own, so the sittings may be all that "
            "differs: let the sides take turns (ocr-baseline run --against)"
        )
    if estimate.unit == "sitting":
        return (
            f"too few sittings to tell how much they differ: take turns (ocr-baseline run "
            f"--against), or have {MIN_HISTORY} on one side"
        )
    return (
        f"{sizes[0]} v {sizes[1]} runs say too little about run-to-run variation: "
        f"{MIN_RUNS} v {MIN_RUNS}, a history of {MIN_HISTORY} or a calibration tells it"
    )


def _with_need(judgement: Judgement, estimate: Estimate, margin: float, change: float) -> Judgement:
    """Add how many runs or sittings a side would settle it, where their spread is known."""
    if not estimate.spread or estimate.freedom < 2:
        return judgement
    needed = runs_needed(estimate.spread, estimate.freedom, margin, change)
    return replace(
        judgement,
        needed_runs=None if needed is None else max(MIN_RUNS, needed, min(estimate.units) + 1),
        needed_unit=estimate.unit,
        is_out_of_reach=needed is None and not judgement.is_settled,
    )
