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
    comparisons.
    """
    cost = measured.measurement
    if cost.overhead_s is None or (cost.overhead_share or 0.0) <= PROFILER_COST["low"]:
        return
    share = cost.overhead_share or 0.0
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
        estimated_saving_s=cost.overhead_s,
        saving_basis="running without the profiler",
        advice="Time fewer operations, especially ones with very many short calls. With batches of "
        "less than a millisecond, use the profiler only in runs that measure.",
    )
