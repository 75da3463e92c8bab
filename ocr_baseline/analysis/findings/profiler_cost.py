"""Measuring took a noticeable part of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import PROFILER_COST
from ocr_baseline.analysis.findings.rule import seconds_evidence
from ocr_baseline.model.document import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured


def profiler_cost(measured: Measured) -> Iterator[Finding]:
    """Find a profiler that took more of the stages than the project allows itself.

    From the medium limit on, the margin within which two times count as equal, it would decide
    comparisons. A window of torch.profiler was asked for and tells its own cost: it doesn't count.
    """
    cost, window = measured.measurement, measured.profile_window
    if not cost.overhead_s or not cost.overhead_share:
        return
    asked_for = 0.0 if window is None else min(window.cost_s / cost.overhead_s, 1.0)
    share = cost.overhead_share * (1 - asked_for)
    if share <= PROFILER_COST["low"]:
        return
    evidence = [
        Evidence(metric="measurement.overhead_share", value=share, unit="share"),
        seconds_evidence("measurement.overhead_s", cost.overhead_s),
    ]
    if cost.per_batch_overhead_s is not None:
        evidence.append(
            seconds_evidence("measurement.per_batch_overhead_s", cost.per_batch_overhead_s)
        )
    yield Finding(
        id=PROFILER_COST.id,
        severity=PROFILER_COST.severity(share),
        title="Measuring took a noticeable part of the run",
        evidence=evidence,
        estimated_saving_s=cost.overhead_s * (1 - asked_for),
        saving_basis="running without the profiler",
        advice="Time fewer operations, especially ones with very many short calls. With batches of "
        "less than a millisecond, use the profiler only in runs that measure.",
    )
