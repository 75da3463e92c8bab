"""How much runs of the same code differ, metric by metric."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.comparison.identity import Difference, differences
from ocr_baseline.comparison.intervals import within_spread
from ocr_baseline.comparison.metrics import METRICS, Metric

if TYPE_CHECKING:
    from ocr_baseline.comparison.summary import RunSummary


@dataclass(frozen=True, kw_only=True)
class Repeated:
    """A metric over runs of the same code.

    `values` are in the metric's unit, in the order of the runs that measured it. `mean` is on the
    metric's scale, so that of times is geometric. `spread` is the standard deviation of one run on
    that scale, nearly the relative one of a time; None of a single value.
    """

    metric: Metric
    values: tuple[float, ...]
    mean: float
    spread: float | None


def repeated(runs: Sequence[RunSummary]) -> list[Repeated]:
    """Return the metrics that were measured; a value of 0 has no logarithm and is left out."""
    return list(_measured(runs))


def _measured(runs: Sequence[RunSummary]) -> Iterator[Repeated]:
    for metric in METRICS:
        is_log = metric.scale == "log"
        values = [run.values[metric.key] for run in runs if metric.key in run.values]
        values = [value for value in values if value > 0 or not is_log]
        if not values:
            continue
        scaled = [math.log(value) for value in values] if is_log else values
        mean = math.fsum(scaled) / len(scaled)
        spread = within_spread([scaled])
        yield Repeated(
            metric=metric,
            values=tuple(values),
            mean=math.exp(mean) if is_log else mean,
            spread=None if spread is None else spread.value,
        )


def unlike(runs: Sequence[RunSummary]) -> list[Difference]:
    """Return in what runs differ from the first, and why they don't compare; most often nothing."""
    return [found for found in differences(runs, ()) if found.forbids]
