"""A few single batches take far longer than the others: which ones, and whether they recur."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocr_baseline.analysis.findings.catalogue import OUTLIER_BATCHES
from ocr_baseline.analysis.findings.excess import line_behind
from ocr_baseline.analysis.findings.rule import (
    count_evidence,
    seconds_evidence,
    share_of,
    title,
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

NORMAL_MAD = 1.4826
SHOWN = 5


class Recurring(NamedTuple):
    """The batch number that is slow in most passes."""

    batch_idx: int
    passes: int
    of_passes: int


def outlier_batches(measured: Measured) -> Iterator[Finding | Silence]:
    """Find single batches that are far slower than the others.

    The modified z-score measures the distance from the median in median absolute deviations, which
    outliers don't move (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993). The
    multiple of the median keeps very even batches from having outliers that nobody would notice;
    more than one batch in twenty is a tail, which the rule on tails judges. Single batches are
    rarely worth more than medium.
    """
    for loader in steady_loaders(measured):
        durations_s = loader.durations_s
        silence = too_few_batches(
            OUTLIER_BATCHES, loader.phase, int(OUTLIER_BATCHES["batches"]), len(durations_s)
        )
        if silence is not None:
            yield silence
            continue
        median_s = float(np.median(durations_s))
        deviation_s = NORMAL_MAD * float(np.median(np.abs(durations_s - median_s)))
        limit_s = max(
            median_s + OUTLIER_BATCHES["score"] * deviation_s, OUTLIER_BATCHES["slow"] * median_s
        )
        outliers = loader.rows & (loader.table.duration_s > limit_s)
        if 0 < outliers.sum() <= OUTLIER_BATCHES["share"] * len(durations_s):
            yield _finding(loader, outliers, median_s)


def _finding(loader: SteadyLoader, outliers: NDArray[np.bool_], median_s: float) -> Finding:
    saving_s = float((loader.table.duration_s[outliers] - median_s).sum())
    cause = line_behind(loader.table, outliers, loader.rows & ~outliers)
    return Finding(
        id=f"{OUTLIER_BATCHES.id}:{loader.label}",
        severity=OUTLIER_BATCHES.severity(share_of(loader.phase, saving_s)),
        title=title(
            f"a few {loader.words} batches take far longer than the others",
            by=None if cause is None else cause.line,
        ),
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
            "passes. If the loader keeps its order, look at that batch's samples."
        )
    return (
        "No batch number is slow in most passes. Check what else happened at the times of these "
        "batches, in this run and on the machine."
    )
