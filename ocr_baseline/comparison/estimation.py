"""Which way of knowing the spread fits the runs at hand, and the estimate that it gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from ocr_baseline.comparison import intervals
from ocr_baseline.comparison.judging import MIN_HISTORY, MIN_RUNS

if TYPE_CHECKING:
    from ocr_baseline.comparison.intervals import Estimate
    from ocr_baseline.comparison.metrics import Metric
    from ocr_baseline.comparison.options import Options
    from ocr_baseline.comparison.summary import RunSummary

Design = Literal["one against one", "set against set", "paired sets", "against a history"]

MAX_HISTORY = 40
MIN_FREEDOM = 5
"""Degrees of freedom that the spread of a history needs in addition to its number of runs."""


def design_of(base: Sequence[RunSummary], new: Sequence[RunSummary], options: Options) -> Design:
    """Return how two sides of this size are compared."""
    if options.is_paired:
        return "paired sets"
    if is_history(len(base), len(new)):
        return "against a history"
    return "one against one" if len(base) == len(new) == 1 else "set against set"


def is_history(base_runs: int, new_runs: int) -> bool:
    """Whether few new runs are held against many."""
    return new_runs < MIN_RUNS and base_runs >= MIN_HISTORY


def stretches(base: Sequence[RunSummary]) -> list[list[RunSummary]]:
    """Return the base's runs between accepted changes, in order; the last stretch last."""
    found: list[list[RunSummary]] = [[]]
    for run in base:
        if run.is_accepted_change and found[-1]:
            found.append([])
        found[-1].append(run)
    return found


def estimate_change(
    metric: Metric,
    base: Sequence[Sequence[RunSummary]],
    new: Sequence[RunSummary],
    options: Options,
) -> Estimate:
    """Return the change of one metric that both sides have, positive where it is measured by logs.

    Args:
        metric: What is compared.
        base: The base's runs between accepted changes, in order, as `stretches` gives them.
        new: The new runs.
        options: Pairing and calibration.
    """
    parts = [_scaled(metric, stretch) for stretch in base]
    before, after = parts[-1], _scaled(metric, new)
    if metric.is_exact:
        return intervals.exact(before, after)
    if options.is_paired:
        return _paired(metric, base[-1], new)
    spread = intervals.within_spread(parts)
    runs = sum(map(len, parts))
    if is_history(runs, len(after)) and spread and spread.degrees_of_freedom >= MIN_FREEDOM:
        return intervals.history(before, after, spread)
    calibration = options.calibration.spread_of(metric) if options.calibration else None
    if min(len(before), len(after)) >= MIN_RUNS:
        if calibration is not None:
            return intervals.pooled(before, after, calibration)
        return intervals.welch(before, after)
    if calibration is not None:
        return intervals.calibrated(before, after, calibration)
    return _unconfirmed(metric, base[-1], new, before, after)


def _paired(metric: Metric, base: Sequence[RunSummary], new: Sequence[RunSummary]) -> Estimate:
    pairs = [
        (before, after)
        for before, after in zip(base, new, strict=True)
        if metric.key in before.values and metric.key in after.values
    ]
    before = _scaled(metric, [pair[0] for pair in pairs])
    after = _scaled(metric, [pair[1] for pair in pairs])
    if len(pairs) >= MIN_RUNS:
        return intervals.paired(before, after)
    if not pairs:
        return intervals.too_few(_scaled(metric, base), _scaled(metric, new))
    return intervals.too_few(before, after)


def _unconfirmed(
    metric: Metric,
    base: Sequence[RunSummary],
    new: Sequence[RunSummary],
    before: Sequence[float],
    after: Sequence[float],
) -> Estimate:
    estimate = intervals.too_few(before, after)
    if metric.name != "batch_time" or metric.phase is None or len(before) != 1 or len(after) != 1:
        return estimate
    blocks = [_log_blocks(metric.phase, side) for side in (base, new)]
    if min(map(len, blocks)) < 2:
        return estimate
    return intervals.within_run(estimate.change, blocks[0], blocks[1])


def _scaled(metric: Metric, runs: Sequence[RunSummary]) -> list[float]:
    values = [run.values[metric.key] for run in runs if metric.key in run.values]
    return [math.log(value) for value in values] if metric.scale == "log" else values


def _log_blocks(phase: str, runs: Sequence[RunSummary]) -> list[float]:
    means = next((run.block_means_s[phase] for run in runs if phase in run.block_means_s), ())
    return [math.log(mean) for mean in means if mean > 0]
