"""A few single batches take far longer than the others: which ones, and whether they recur."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocr_baseline.analysis.findings.excess import line_behind
from ocr_baseline.analysis.findings.rule import (
    count_evidence,
    seconds_evidence,
    severity_of,
    too_few_batches,
)
from ocr_baseline.analysis.phases.steady_loaders import steady_loaders
from ocr_baseline.model.document import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ocr_baseline.analysis.findings.rule import Silence
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.analysis.phases.steady_loaders import SteadyLoader
    from ocr_baseline.model.document import Evidence

RULE = "outlier-batches"
MIN_BATCHES = 20
MAX_SHARE = 0.05
TIMES_MEDIAN = 2.0
MODIFIED_Z_SCORE = 3.5
NORMAL_MAD = 1.4826
SHOWN = 5


class Recurring(NamedTuple):
    """The batch number that is slow in most passes."""

    batch_idx: int
    passes: int
    of_passes: int


def outlier_batches(measured: Measured) -> Iterator[Finding | Silence]:
    """Find batches beyond a modified z-score of 3.5 and twice the median, at most 5% of them.

    The score measures the distance from the median in median absolute deviations, which outliers
    don't move (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993). Twice the median
    keeps very even batches from having outliers that nobody would notice; more than one batch in
    twenty is a tail, which the rule on tails judges. Severity follows the saving's share of the
    stage, and is at most medium: single batches are rarely worth more.
    """
    for loader in steady_loaders(measured):
        durations_s = loader.durations_s
        silence = too_few_batches(RULE, loader.phase, MIN_BATCHES, len(durations_s))
        if silence is not None:
            yield silence
            continue
        median_s = float(np.median(durations_s))
        deviation_s = NORMAL_MAD * float(np.median(np.abs(durations_s - median_s)))
        limit_s = max(median_s + MODIFIED_Z_SCORE * deviation_s, TIMES_MEDIAN * median_s)
        outliers = loader.rows & (loader.table.duration_s > limit_s)
        if 0 < outliers.sum() <= MAX_SHARE * len(durations_s):
            yield _finding(loader, outliers, median_s)


def _finding(loader: SteadyLoader, outliers: NDArray[np.bool_], median_s: float) -> Finding:
    saving_s = float((loader.table.duration_s[outliers] - median_s).sum())
    share = saving_s / loader.phase.total_s if loader.phase.total_s else 0.0
    cause = line_behind(loader.table, outliers, loader.rows & ~outliers)
    return Finding(
        id=f"{RULE}:{loader.label}",
        severity="medium" if severity_of(share) != "low" else "low",
        title=f"A few batches of {loader.label} take far longer than the others"
        + ("" if cause is None else f", for {cause.line}"),
        evidence=[
            count_evidence(f"series.{loader.label}.outliers", int(outliers.sum())),
            seconds_evidence(f"phases.{loader.label}.batch_time_s.median", median_s),
            *_slowest(loader, outliers),
        ],
        estimated_saving_s=saving_s,
        saving_basis="these batches take the median",
        advice=_advice(_recurring(loader, outliers)),
    )


def _slowest(loader: SteadyLoader, outliers: NDArray[np.bool_]) -> Iterator[Evidence]:
    """Yield the slowest outliers by epoch and batch number, the slowest first."""
    table = loader.table
    rows = np.flatnonzero(outliers)
    for row in rows[np.argsort(-table.duration_s[rows], kind="stable")][:SHOWN]:
        yield seconds_evidence(
            f"series.{loader.label}.epoch_{table.epoch[row]}.batch_{table.batch_idx[row]}"
            ".duration_s",
            float(table.duration_s[row]),
        )


def _recurring(loader: SteadyLoader, outliers: NDArray[np.bool_]) -> Recurring | None:
    """Return the batch number that is an outlier in more than half of two passes or more."""
    numbers, counts = np.unique(loader.table.batch_idx[outliers], return_counts=True)
    passes = int((loader.times.is_first_of_epoch).sum())
    most = int(np.argmax(counts))
    if counts[most] < 2 or counts[most] <= passes / 2:
        return None
    return Recurring(int(numbers[most]), int(counts[most]), passes)


def _advice(recurring: Recurring | None) -> str:
    if recurring is not None:
        return (
            f"Batch {recurring.batch_idx} is slow in {recurring.passes} of {recurring.of_passes} "
            "passes: if the loader keeps its order, look at that batch's samples."
        )
    return (
        "No batch number is slow in most passes: compare the batches' times with what else "
        "happened then, in this run and on the machine."
    )
