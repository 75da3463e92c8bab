"""The range of a saving: what a run without the cause may take, as far as this run shows it.

What is taken out was timed, but what stays is only known as it was beside it. A run without the
cause takes what the rest of each batch took, give or take what its mean varies by; and less, where
the cause made the rest slower, by emptying caches or by taking a core from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.analysis.phases.builder import line_name
from ocr_baseline.vocabulary import PHASES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.analysis.phases.stage_times import StageTimes
    from ocr_baseline.model.document import Finding, Phase

BLOCKS = 16
STANDARD_ERRORS = 2.0
REPEATS = 0.1
REPEATS_UNDER_LOAD = 0.2
BESIDE = 0.3
"""How much a run without the cause may differ, as shares of what is left of the stage: between two
runs of one training, and on a machine with other work; and how much faster what is left may get
once the cause no longer empties the caches, a share of it and of the saving. Chosen so that nine in
ten of the ranges of `benchmarks/answers.py` hold what taking the cause out saved."""


def with_range(measured: Measured, finding: Finding, *, is_busy: bool) -> Finding:
    """Return a finding whose saving has a range, widened where it has one of its own already.

    A saving that is the most there can be is the upper end of its range. Unchanged where no saving
    is given, or where its seconds are no lines of recorded batches.
    """
    saving_s = finding.estimated_saving_s
    found = _phase_of(measured, finding)
    if saving_s is None or found is None:
        return finding
    phase, times, lines = found
    rest_s = _rest_of_batches_s(times, lines, saving_s)
    if len(rest_s) < BLOCKS:
        return finding
    whole_s = phase.total_s or float(times.durations_s.sum())
    left_s = max(whole_s - saving_s, 0.0)
    noise_s = max(
        STANDARD_ERRORS * _standard_error(rest_s) * len(times.durations_s),
        (REPEATS_UNDER_LOAD if is_busy else REPEATS) * left_s,
    )
    slowed_s = BESIDE * min(left_s, saving_s)
    low_s = _or(finding.estimated_saving_low_s, saving_s) - noise_s
    high_s = _or(finding.estimated_saving_high_s, saving_s) + noise_s + slowed_s
    most_s = saving_s if finding.saving_is_the_most else whole_s
    return finding.model_copy(
        update={
            "estimated_saving_low_s": max(low_s, 0.0),
            "estimated_saving_high_s": max(min(high_s, most_s), saving_s),
        }
    )


def _phase_of(
    measured: Measured, finding: Finding
) -> tuple[Phase, StageTimes, frozenset[str]] | None:
    """Return the one phase that a finding's lines are of, its batches, and the lines' names."""
    split = [line.partition(".") for line in finding.lines]
    names = {phase for phase, _, _ in split}
    stages = [stage for stage in measured.times if PHASES[stage] in names]
    if len(names) != 1 or not stages:
        return None
    phase, times = measured.phase(PHASES[stages[0]]), measured.times[stages[0]]
    if phase is None or times.table is None:
        return None
    return phase, times, frozenset(line for _, _, line in split)


def _rest_of_batches_s(
    times: StageTimes, lines: frozenset[str], saving_s: float
) -> NDArray[np.float64]:
    """Return what is left of each steady batch without the saving, shape (steady batches,).

    A saving that is less than its lines took leaves the same part of them in each batch.
    """
    table = times.table
    if table is None:
        return np.empty(0)
    taken_s = np.zeros(len(table.duration_s))
    for name, column in table.lines_s.items():
        if line_name(name) in lines:
            taken_s += column
    whole_s = sum(value for name, value in times.lines_s.items() if line_name(name) in lines)
    part = min(saving_s / whole_s, 1.0) if whole_s else 0.0
    rest_s: NDArray[np.float64] = (table.duration_s - part * taken_s)[times.is_steady]
    return rest_s


def _standard_error(values: NDArray[np.float64]) -> float:
    """Return that of the mean, from the means of blocks: neighbouring batches are alike."""
    means = np.array([block.mean() for block in np.array_split(values, BLOCKS)])
    return float(means.std(ddof=1) / np.sqrt(BLOCKS))


def _or(value: float | None, other: float) -> float:
    return other if value is None else value
