"""An operation inside the loader's workers is what the main thread waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.rule import (
    MODERATELY,
    seconds_evidence,
    severity_of,
    too_few_batches,
)
from ocr_baseline.analysis.replay.worker_replay import worker_replay
from ocr_baseline.model.document import Evidence, Finding
from ocr_baseline.vocabulary import OPERATION_LINE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.findings.rule import Silence
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.analysis.replay.loader_replay import LoaderReplay
    from ocr_baseline.model.document import Operation, Phase

RULE = "worker-operation"
DOMINANT_SHARE = 0.10


def worker_operation(measured: Measured) -> Iterator[Finding | Silence]:
    """Find operations that take a tenth of the workers' time and are waited for.

    Waited for means: at least 5% (medium) or 20% (high) of the stage, the limits of XProf's
    input-pipeline analyzer. The tenth is this project's choice, as for operations of the main
    thread. What goes on in workers is overlapped with the main thread, so removing it saves only
    what the replay of the loader without it takes less.
    """
    for phase in measured.whole_phases:
        heavy = [o for o in measured.operations if _is_waited_for(o, phase)]
        if not heavy:
            continue
        silence = too_few_batches(RULE, phase)
        if silence is not None:
            yield silence
            continue
        replay = worker_replay(measured, phase)
        for operation in heavy:
            yield _finding(phase, operation, replay)


def _is_waited_for(operation: Operation, phase: Phase) -> bool:
    return (
        operation.phase == phase.name
        and operation.process == "worker"
        and (operation.share_of_phase or 0.0) >= DOMINANT_SHARE
        and _share_waited(operation, phase) >= MODERATELY
    )


def _share_waited(operation: Operation, phase: Phase) -> float:
    return (operation.waited_s or 0.0) / phase.total_s if phase.total_s else 0.0


def _finding(phase: Phase, operation: Operation, replay: LoaderReplay | None) -> Finding:
    where = f"operations.{operation.name}.{phase.name}"
    evidence = [
        Evidence(
            metric=f"{where}.share_of_phase", value=operation.share_of_phase or 0.0, unit="share"
        ),
        seconds_evidence(f"{where}.exclusive_s", operation.exclusive_s),
        seconds_evidence(f"{where}.waited_s", operation.waited_s or 0.0),
    ]
    saving_s = None
    if replay is not None:
        line = OPERATION_LINE_PREFIX + operation.name
        saving_s = replay.saving_without_s(line)
        evidence.append(
            seconds_evidence(f"{where}.saving_if_halved_s", replay.saving_without_s(line, 0.5))
        )
    return Finding(
        id=f"{RULE}:{phase.name}:{operation.name}",
        severity=severity_of(_share_waited(operation, phase)),
        title=f"{phase.name} waits for {operation.name} in its loader workers",
        evidence=evidence,
        estimated_saving_s=saving_s,
        saving_basis=None
        if saving_s is None
        else "the loader replayed without it, every batch's making shorter by its exclusive time",
        advice=f"Make {operation.name} cheaper, or do its work once instead of at every epoch "
        "(cached in memory or on disk); more workers only hide it.",
    )
