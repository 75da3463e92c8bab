"""Batches take longer from epoch to epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocr_baseline.analysis.findings.catalogue import SLOWING_DOWN
from ocr_baseline.analysis.findings.kind import MIN_STEADY_BATCHES
from ocr_baseline.analysis.findings.rule import (
    Silence,
    count_evidence,
    quoted,
    seconds_evidence,
    share_of,
    title,
)
from ocr_baseline.analysis.findings.slow_batches import line_behind
from ocr_baseline.analysis.theil_sen import theil_sen
from ocr_baseline.model.document import Finding
from ocr_baseline.vocabulary import PHASE_WORDS, PHASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ocr_baseline.analysis.findings.slow_batches import LineExcess
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.analysis.phases.stage_times import StageTimes
    from ocr_baseline.model.document import Phase

MAX_PASSES = 500


class Passes(NamedTuple):
    """Of each pass looked at: its number, its rows, the median of its steady batches."""

    numbers: NDArray[np.int64]
    rows: list[slice]
    medians_s: NDArray[np.float64]


def slowing_down(measured: Measured) -> Iterator[Finding | Silence]:
    """Find stages whose batches get slower over the run, with an interval of the slope above zero.

    The trend is the Theil-Sen slope of the passes' medians (Sen, 1968) with its 95% interval. With
    fewer than five passes no order of their medians is rarer than one in twenty by chance
    (2 / 4! = 8%, 2 / 5! = 2%).
    """
    for stage, times in measured.times.items():
        phase = measured.phase(PHASES[stage])
        if phase is None or len(times.durations_s) == 0:
            continue
        passes = _passes(times)
        if len(passes.numbers) < SLOWING_DOWN["passes"]:
            yield Silence(
                SLOWING_DOWN.id,
                f"{phase.name} has {len(passes.numbers)} "
                f"pass{'' if len(passes.numbers) == 1 else 'es'} with at least "
                f"{MIN_STEADY_BATCHES} steady batches; it takes {SLOWING_DOWN['passes']:.0f} such "
                "passes",
            )
        else:
            yield from _judged(phase, times, passes)


def _passes(times: StageTimes) -> Passes:
    """Return the passes with enough steady batches, evenly spread when there are very many."""
    if times.is_steady.all():
        return Passes(np.empty(0, dtype=np.int64), [], np.empty(0))
    every = list(enumerate(times.passes()))
    kept = [
        (number, rows)
        for number, rows in every[:: -(-len(every) // MAX_PASSES)]
        if times.is_steady[rows].sum() >= MIN_STEADY_BATCHES
    ]
    medians_s = [float(np.median(times.durations_s[r][times.is_steady[r]])) for _, r in kept]
    return Passes(
        np.asarray([number for number, _ in kept], dtype=np.int64),
        [rows for _, rows in kept],
        np.asarray(medians_s, dtype=np.float64),
    )


def _judged(phase: Phase, times: StageTimes, passes: Passes) -> Iterator[Finding]:
    fit = theil_sen(passes.medians_s, passes.numbers)
    span = int(passes.numbers[-1] - passes.numbers[0])
    first_s = float(fit.intercept + fit.slope * passes.numbers[0])
    if fit.low_slope <= 0 or first_s <= 0 or fit.slope * span < SLOWING_DOWN["rise"] * first_s:
        return
    batches = np.asarray([rows.stop - rows.start for rows in times.passes()])
    later = np.maximum(np.arange(len(batches)) - passes.numbers[0], 0)
    saving_s = float(fit.slope) * float((batches * later).sum())
    yield _finding(
        phase, (first_s, float(fit.slope)), len(passes.numbers), saving_s, _cause(times, passes)
    )


def _cause(times: StageTimes, passes: Passes) -> LineExcess | None:
    """Return the line that grew from the first third of the passes to the last."""
    if times.table is None:
        return None
    third = len(passes.rows) // 3
    early, late = (np.zeros_like(times.is_steady) for _ in range(2))
    for rows in passes.rows[:third]:
        early[rows] = times.is_steady[rows]
    for rows in passes.rows[-third:]:
        late[rows] = times.is_steady[rows]
    return line_behind(times.table, late, early)


def _finding(
    phase: Phase,
    trend: tuple[float, float],
    passes: int,
    saving_s: float,
    cause: LineExcess | None,
) -> Finding:
    first_s, slope_s = trend
    where = f"phases.{phase.name}.per_epoch"
    evidence = [
        seconds_evidence(f"{where}.median_trend_start_s", first_s),
        seconds_evidence(f"{where}.median_trend_per_pass_s", slope_s),
        count_evidence(f"{where}.count", passes),
    ]
    if cause is not None:
        evidence.append(seconds_evidence(f"{where}.last_third_excess.{cause.line}", cause.excess_s))
    return Finding(
        id=f"{SLOWING_DOWN.id}:{phase.name}",
        severity=SLOWING_DOWN.severity(share_of(phase, saving_s)),
        title=title(
            f"{PHASE_WORDS[phase.name]} batches get slower over the run",
            by=None if cause is None else quoted(cause.line),
        ),
        evidence=evidence,
        estimated_saving_s=saving_s,
        saving_basis="every pass as fast as the first, by the fitted trend",
        advice=(
            f"{quoted(cause.line)} takes longer from pass to pass: look for what it keeps or "
            "repeats."
            if cause is not None
            else "No line makes up most of the growth: look for state that accumulates, for "
            "memory that runs short, and for a processor that slows down."
        ),
    )
