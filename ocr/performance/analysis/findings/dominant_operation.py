"""One named operation takes much of a stage's main thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr.performance.analysis.findings.rule import seconds_evidence
from ocr.performance.baseline import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr.performance.analysis.measured import Measured
    from ocr.performance.baseline import Operation

HIGH_SHARE = 0.30
MEDIUM_SHARE = 0.10


def dominant_operation(measured: Measured) -> Iterator[Finding]:
    """Find operations of the main thread above 10% (medium) or 30% (high) of their stage.

    The thresholds follow TensorBoard's and XProf's habit of naming a host operation once it
    reaches a tenth of the step. Removing the operation saves exactly what it took: nothing else
    ran in the main thread meanwhile.
    """
    for operation in measured.operations:
        if operation.process == "main" and operation.waited_s is not None:
            if (operation.share_of_phase or 0.0) >= MEDIUM_SHARE:
                yield _finding(operation, operation.share_of_phase or 0.0)


def _finding(operation: Operation, share: float) -> Finding:
    where = f"operations.{operation.name}.{operation.phase}"
    return Finding(
        id=f"dominant-operation:{operation.phase}:{operation.name}",
        severity="high" if share >= HIGH_SHARE else "medium",
        title=f"{operation.name} dominates {operation.phase}",
        evidence=[
            Evidence(metric=f"{where}.share_of_phase", value=share, unit="share"),
            seconds_evidence(f"{where}.exclusive_s", operation.exclusive_s),
            Evidence(metric=f"{where}.calls", value=float(operation.calls), unit="count"),
        ],
        estimated_saving_s=operation.exclusive_s,
        saving_basis="removing it: it ran in the main thread, so the stage gets shorter by its "
        "exclusive time",
        advice=f"Call {operation.name} less often, on less data, or replace it by a faster "
        "equivalent; if its result is not needed at every batch, move it to the epoch's end.",
    )
