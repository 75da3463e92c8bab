"""The estimate of one metric's change: its values by sitting, at the base's latest level."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from ocr_baseline.comparison import intervals
from ocr_baseline.comparison.designs import MIN_HISTORY, MIN_RUNS, NOTHING_KNOWN, estimate
from ocr_baseline.comparison.drift import levels
from ocr_baseline.comparison.sittings import by_sitting

if TYPE_CHECKING:
    from ocr_baseline.comparison.designs import SittingValues
    from ocr_baseline.comparison.intervals import Estimate
    from ocr_baseline.comparison.metrics import Metric
    from ocr_baseline.comparison.options import Options
    from ocr_baseline.comparison.summary import RunSummary

Design = Literal["one against one", "set against set", "paired sets", "against a history"]


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Two sides of runs and the sitting of each, by its `content`.

    `base` holds the runs between accepted changes, in the order of time; the last are what the new
    runs are held against.
    """

    base: Sequence[Sequence[RunSummary]]
    new: Sequence[RunSummary]
    sittings: Mapping[str, int]

    @property
    def are_in_turns(self) -> bool:
        """Whether both sides took turns in a sitting."""
        before = {self.sittings[run.content] for run in self.base[-1]}
        return not before.isdisjoint(self.sittings[run.content] for run in self.new)

    def levels(self, metric: Metric) -> list[list[RunSummary]]:
        """Return the base's runs by the metric's level, in the order of time.

        A level ends with an accepted change, and where the runs show one. Runs without a value
        are left out. Where sides took turns, what moved meanwhile moved both.
        """
        stretches = [[run for run in part if metric.key in run.values] for part in self.base]
        if self.are_in_turns:
            return stretches
        return [level for part in stretches for level in levels(metric, part, self.sittings)]


def design_of(base: Sequence[RunSummary], new: Sequence[RunSummary], options: Options) -> Design:
    """Return how two sides of this size are compared."""
    if options.is_paired:
        return "paired sets"
    if len(new) < MIN_RUNS and len(base) >= MIN_HISTORY:
        return "against a history"
    return "one against one" if len(base) == len(new) == 1 else "set against set"


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
    sittings: Mapping[str, int],
    options: Options,
) -> Estimate:
    """Return the change of one metric that both sides have, positive where it is measured by logs.

    Args:
        metric: What is compared.
        base: The base's runs by level, as `Sides.levels` gives them.
        new: The new runs.
        sittings: The sitting of each run.
        options: The calibration, if any.
    """
    if metric.is_exact:
        return intervals.exact(*(_values(metric, runs) for runs in (base[-1], new)))
    calibration = options.calibration
    known = NOTHING_KNOWN if calibration is None else calibration.known_of(metric)
    before = [values_by_sitting(metric, level, sittings) for level in base if level]
    found = estimate(before, values_by_sitting(metric, new, sittings), known)
    if found.error == 0:
        return _to_a_tick(found, metric, base[-1], new)
    if found.low is None and metric.name == "batch_time" and metric.phase is not None:
        return _within_run(found, metric.phase, base[-1], new)
    return found


def values_by_sitting(
    metric: Metric, runs: Sequence[RunSummary], sittings: Mapping[str, int]
) -> SittingValues:
    """Return the values of runs on the metric's scale, by sitting."""
    measured = by_sitting((run for run in runs if metric.key in run.values), sittings)
    return {sitting: _values(metric, found) for sitting, found in measured.items()}


def _values(metric: Metric, runs: Sequence[RunSummary]) -> list[float]:
    return metric.scaled([run.values[metric.key] for run in runs if metric.key in run.values])


def _to_a_tick(
    found: Estimate, metric: Metric, base: Sequence[RunSummary], new: Sequence[RunSummary]
) -> Estimate:
    """Return the change of values that are all equal on a side: known to the clock's last digit."""
    values = [run.values[metric.key] for run in (*base, *new) if metric.key in run.values]
    digits = min(int(Decimal(f"{value:.12g}").normalize().as_tuple().exponent) for value in values)
    tick = 10.0 ** min(0, digits)
    if metric.scale == "log":
        tick /= min(values)
    if found.change == 0 or found.low is None or found.high is None:
        return found
    is_one = abs(found.change) <= tick
    low, high = found.low - tick, found.high + tick
    return replace(found, low=low, high=high, p_value=1.0 if is_one else found.p_value)


def _within_run(
    found: Estimate, phase: str, base: Sequence[RunSummary], new: Sequence[RunSummary]
) -> Estimate:
    """Return the interval from the batches of two single runs, where both have some."""
    blocks = [_log_blocks(phase, side) for side in (base, new)]
    if len(base) > 1 or len(new) > 1 or min(map(len, blocks)) < 2:
        return found
    return intervals.within_run(found.change, blocks[0], blocks[1])


def _log_blocks(phase: str, runs: Sequence[RunSummary]) -> list[float]:
    means = next((run.block_means_s[phase] for run in runs if phase in run.block_means_s), ())
    return [math.log(mean) for mean in means if mean > 0]
