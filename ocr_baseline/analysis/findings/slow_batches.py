"""Batches that take much longer than the usual one: a tail of one in twenty, or a few outliers.

Batches of one loader are compared with each other, and the line behind the difference is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocr_baseline.analysis.findings.catalogue import OUTLIER_BATCHES, TAIL_LATENCY
from ocr_baseline.analysis.findings.kind import EXPLAINED
from ocr_baseline.analysis.findings.rule import (
    count_evidence,
    quoted,
    seconds_evidence,
    share_of,
    title,
    too_few_batches,
)
from ocr_baseline.analysis.phases.builder import line_name
from ocr_baseline.model.document import Evidence, Finding
from ocr_baseline.vocabulary import PHASE_WORDS, PHASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ocr_baseline.analysis.findings.rule import Silence
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.analysis.phases.stage_times import StageTimes
    from ocr_baseline.model.document import Phase
    from ocr_baseline.model.run import BatchTable

NORMAL_MAD = 1.4826
SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class SteadyLoader:
    """The steady batches of one loader; `label` names phase and, of several, loader.

    `rows` says which rows of the table they are, shape (batches,).
    """

    phase: Phase
    label: str
    times: StageTimes
    table: BatchTable
    rows: NDArray[np.bool_]

    @property
    def words(self) -> str:
        """What a sentence calls it: `validation`, or `validation (dataloader 1)`."""
        _, _, loader = self.label.partition(".dataloader_")
        return PHASE_WORDS[self.phase.name] + (f" (dataloader {loader})" if loader else "")

    @property
    def durations_s(self) -> NDArray[np.float64]:
        """Time of each of them, shape (steady batches of the loader,)."""
        return self.table.duration_s[self.rows]


def steady_loaders(measured: Measured) -> Iterator[SteadyLoader]:
    """Yield the loaders of all recorded stages; batches of different loaders don't compare.

    A stage in which every batch would be set aside has no steady batches.
    """
    for stage, times in measured.times.items():
        phase, table = measured.phase(PHASES[stage]), times.table
        if phase is None or table is None or len(table.duration_s) == 0:
            continue
        steady = np.zeros_like(times.is_steady) if times.is_steady.all() else times.is_steady
        loaders = times.loaders
        for loader in loaders:
            yield SteadyLoader(
                phase=phase,
                label=phase.name if len(loaders) == 1 else f"{phase.name}.dataloader_{loader}",
                times=times,
                table=table,
                rows=steady & (table.dataloader_idx == loader),
            )


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


def tail_latency(measured: Measured) -> Iterator[Finding | Silence]:
    """Find loaders whose 95th percentile is far above their median.

    Removing the tail means that the batches beyond the limit take the median. Nobody knows how to
    remove one whose batches are slower in several lines alike, as when the machine has other work
    or samples differ in size: no saving is claimed for it.
    """
    for loader in steady_loaders(measured):
        durations_s = loader.durations_s
        silence = too_few_batches(
            TAIL_LATENCY, loader.phase, int(TAIL_LATENCY["batches"]), len(durations_s)
        )
        if silence is not None:
            yield silence
            continue
        median_s, p95_s = (float(value) for value in np.percentile(durations_s, [50, 95]))
        if p95_s >= TAIL_LATENCY["slow"] * median_s:
            yield _tail(loader, median_s, p95_s)


def _tail(loader: SteadyLoader, median_s: float, p95_s: float) -> Finding:
    slow = loader.rows & (loader.table.duration_s >= TAIL_LATENCY["slow"] * median_s)
    excess_s = float((loader.table.duration_s[slow] - median_s).sum())
    cause = line_behind(loader.table, slow, loader.rows & ~slow)
    where = f"phases.{loader.label}.batch_time_s"
    evidence = [
        seconds_evidence(f"{where}.p95", p95_s),
        seconds_evidence(f"{where}.median", median_s),
        Evidence(
            metric=f"{where}.slow_share", value=float(slow.sum() / loader.rows.sum()), unit="share"
        ),
        seconds_evidence(f"{where}.slow_total_excess", excess_s),
    ]
    advice = (
        "No line of the breakdown makes up most of the difference: look at what else ran "
        "on the machine, and at the size of the batches."
    )
    if cause is not None:
        evidence.append(seconds_evidence(f"{where}.slow_excess.{cause.line}", cause.excess_s))
        advice = (
            f"The slow batches spend their extra time in {quoted(cause.line)}: find what makes it "
            "vary, such as the size of the samples, work that only some batches do, or other work "
            "on the machine."
        )
    return Finding(
        id=f"{TAIL_LATENCY.id}:{loader.label}",
        severity=TAIL_LATENCY.severity(share_of(loader.phase, excess_s)),
        title=title(
            f"some {loader.words} batches are slow",
            by=None if cause is None else quoted(cause.line),
        ),
        evidence=evidence,
        estimated_saving_s=None if cause is None else excess_s,
        saving_basis=None
        if cause is None
        else f"the batches above {TAIL_LATENCY['slow']} times the median take the median",
        advice=advice,
        lines=[] if cause is None else [f"{loader.phase.name}.{cause.line}"],
    )


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
    rarely worth more than medium. A saving is claimed as for a tail, or where one batch recurs.
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
            yield _outliers(loader, outliers, median_s)


def _outliers(loader: SteadyLoader, outliers: NDArray[np.bool_], median_s: float) -> Finding:
    excess_s = float((loader.table.duration_s[outliers] - median_s).sum())
    cause = line_behind(loader.table, outliers, loader.rows & ~outliers)
    recurring = _recurring(loader, outliers)
    has_remedy = cause is not None or recurring is not None
    return Finding(
        id=f"{OUTLIER_BATCHES.id}:{loader.label}",
        severity=OUTLIER_BATCHES.severity(share_of(loader.phase, excess_s)),
        title=title(
            f"a few {loader.words} batches take far longer than the others",
            by=None if cause is None else quoted(cause.line),
        ),
        evidence=[
            count_evidence(f"series.{loader.label}.outliers", int(outliers.sum())),
            seconds_evidence(f"phases.{loader.label}.batch_time_s.median", median_s),
            *_slowest(loader, outliers),
            seconds_evidence(f"series.{loader.label}.outliers_total_excess", excess_s),
        ],
        estimated_saving_s=excess_s if has_remedy else None,
        saving_basis="these batches take the median" if has_remedy else None,
        advice=_advice(recurring),
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
