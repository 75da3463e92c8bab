"""One named operation takes much of a stage's main thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.rule import (
    count_evidence,
    seconds_evidence,
    severity_of,
    too_few_batches,
)
from ocr_baseline.analysis.replay.main_thread import main_thread_saving
from ocr_baseline.model.document import Evidence, Finding
from ocr_baseline.vocabulary import OPERATION_LINE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.findings.rule import Silence
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Operation, Phase

RULE = "dominant-operation"
HIGH_SHARE = 0.30
MEDIUM_SHARE = 0.10


def dominant_operation(measured: Measured) -> Iterator[Finding | Silence]:
    """Find operations of the main thread above 10% (medium) or 30% (high) of their stage.

    Both limits are this project's choice: an operation of a tenth of the stage is worth a look,
    one of a third is worth a change. They are higher than those of the fixed lines, because an
    operation may well be the work that the stage is for.
    """
    for phase in measured.whole_phases:
        heavy = [
            operation
            for operation in measured.operations
            if operation.phase == phase.name
            and operation.process == "main"
            and operation.waited_s is not None
            and (operation.share_of_phase or 0.0) >= MEDIUM_SHARE
        ]
        silence = too_few_batches(RULE, phase) if heavy else None
        if silence is not None:
            yield silence
            continue
        for operation in heavy:
            yield _finding(measured, phase, operation)


def _finding(measured: Measured, phase: Phase, operation: Operation) -> Finding:
    share = operation.share_of_phase or 0.0
    saving_s, basis = main_thread_saving(
        measured,
        phase,
        OPERATION_LINE_PREFIX + operation.name,
        operation.exclusive_s,
        "removing it",
    )
    where = f"operations.{operation.name}.{operation.phase}"
    return Finding(
        id=f"{RULE}:{operation.phase}:{operation.name}",
        severity=severity_of(share, MEDIUM_SHARE, HIGH_SHARE),
        title=f"{operation.name} dominates {operation.phase}",
        evidence=[
            Evidence(metric=f"{where}.share_of_phase", value=share, unit="share"),
            seconds_evidence(f"{where}.exclusive_s", operation.exclusive_s),
            count_evidence(f"{where}.calls", operation.calls),
        ],
        estimated_saving_s=saving_s,
        saving_basis=basis,
        advice=f"Call {operation.name} less often, on less data, or replace it by a faster "
        "equivalent; if its result is not needed at every batch, move it to the epoch's end.",
    )
