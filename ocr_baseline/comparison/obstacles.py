"""Why one metric can't be compared although the runs can, or says nothing of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ocr_baseline.comparison.summary import first_reason

if TYPE_CHECKING:
    from ocr_baseline.comparison.metrics import Metric
    from ocr_baseline.comparison.summary import RunSummary


def obstacle(
    metric: Metric,
    base: Sequence[RunSummary],
    new: Sequence[RunSummary],
    before: Sequence[float],
    after: Sequence[float],
) -> str | None:
    """Return why this metric alone can't be compared, None when it can."""
    for values, runs, side in ((before, base, "base"), (after, new, "new")):
        if not values:
            return _absence(metric, runs, side)
        if metric.scale == "log" and min(values) <= 0:
            return f"a value of 0 in the {side} runs, of which nothing can be a percentage"
    return _other_measuring(metric, [*base, *new])


def is_of_absent_device(metric: Metric, runs: Sequence[RunSummary]) -> bool:
    """Whether the metric is about an accelerator, and no run had one."""
    return metric.key.startswith("memory.accelerator_") and all(
        run.environment.known.accelerator == "cpu" for run in runs
    )


def _absence(metric: Metric, runs: Sequence[RunSummary], side: str) -> str:
    reason = first_reason(metric, runs)
    return f"not measured in the {side} runs" + (f": {reason}" if reason else "")


def _other_measuring(metric: Metric, runs: Sequence[RunSummary]) -> str | None:
    if metric.name.startswith("batch_time"):
        phase = metric.phase or ""
        scopes = sorted({run.scopes[phase] for run in runs if phase in run.scopes})
        if len(scopes) > 1:
            return f"batches are chosen differently: {' v '.join(scopes)}"
    if metric.unit in ("s", "samples/s"):
        clocks = sorted({clock for run in runs if (clock := run.measurement.clock) is not None})
        if len(clocks) > 1:
            return f"times are of different clocks: {' v '.join(clocks)}"
    return None
