"""One named operation takes much of a stage: of its main thread, or of the wait for its workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import DOMINANT_OPERATION, WORKER_OPERATION
from ocr_baseline.analysis.findings.named_cause import cause_evidence, cause_of
from ocr_baseline.analysis.findings.rule import (
    count_evidence,
    quoted,
    seconds_evidence,
    share_of,
    title,
    too_few_batches,
)
from ocr_baseline.analysis.replay.savings import main_thread_saving, worker_replay
from ocr_baseline.model.document import Evidence, Finding
from ocr_baseline.vocabulary import OPERATION_LINE_PREFIX, PHASE_WORDS, Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ocr_baseline.analysis.findings.kind import Kind
    from ocr_baseline.analysis.findings.rule import Silence
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Operation, Phase


_ADVICE = (
    "Call {name} less often or on less data, or replace it with a faster equivalent. If its result "
    "isn't needed at every batch, move it to the end of the epoch."
)
_LOADER_ADVICE = (
    "{name} runs while the main thread makes batches. Set the loader's num_workers above 0, so "
    "that it runs beside the training, make it cheaper, or keep its results from epoch to epoch."
)


def dominant_operation(measured: Measured) -> Iterator[Finding | Silence]:
    """Find operations that take much of a stage's main thread.

    The limits are higher than those of the fixed lines, because an operation may well be the work
    that the stage is for.
    """
    yield from _found(measured, DOMINANT_OPERATION, _is_dominant, _in_main_thread)


def worker_operation(measured: Measured) -> Iterator[Finding | Silence]:
    """Find operations that take much of the workers' time and that the main thread waits for.

    What goes on in workers overlaps with the main thread, so removing it saves only what the
    replay of the loader without it takes less.
    """
    yield from _found(measured, WORKER_OPERATION, _is_waited_for, _in_workers)


def _found(
    measured: Measured,
    kind: Kind,
    is_heavy: Callable[[Operation, Phase], bool],
    finding: Callable[[Measured, Phase, Operation], Finding],
) -> Iterator[Finding | Silence]:
    for phase in measured.whole_phases:
        heavy = [
            operation
            for operation in measured.operations
            if operation.phase == phase.name and is_heavy(operation, phase)
        ]
        silence = too_few_batches(kind, phase) if heavy else None
        if silence is not None:
            yield silence
            continue
        for operation in heavy:
            yield finding(measured, phase, operation)


def _is_dominant(operation: Operation, phase: Phase) -> bool:
    return (
        operation.process == "main"
        and operation.waited_s is not None
        and (operation.share_of_phase or 0.0) >= DOMINANT_OPERATION["medium"]
    )


def _is_waited_for(operation: Operation, phase: Phase) -> bool:
    return (
        operation.process == "worker"
        and (operation.share_of_phase or 0.0) >= WORKER_OPERATION["of_workers"]
        and share_of(phase, operation.waited_s or 0.0) >= WORKER_OPERATION["medium"]
    )


def _in_main_thread(measured: Measured, phase: Phase, operation: Operation) -> Finding:
    saving_s, basis = main_thread_saving(
        measured,
        phase,
        OPERATION_LINE_PREFIX + operation.name,
        operation.exclusive_s,
        "removing it",
    )
    within_loader = {line.name for line in measured.loader_operations(phase)}
    advice = _LOADER_ADVICE if operation.name in within_loader else _ADVICE
    line = Line.DATA_WAIT.value if operation.name in within_loader else operation.name
    return Finding(
        id=f"{DOMINANT_OPERATION.id}:{phase.name}:{operation.name}",
        severity=DOMINANT_OPERATION.severity(operation.share_of_phase or 0.0),
        title=f"{quoted(operation.name)} dominates {PHASE_WORDS[phase.name]}",
        evidence=[
            *_shares(operation),
            count_evidence(f"{_where(operation)}.calls", operation.calls),
        ],
        estimated_saving_s=saving_s,
        saving_basis=basis,
        advice=advice.format(name=quoted(operation.name)),
        lines=[f"{phase.name}.{line}"],
    )


def _in_workers(measured: Measured, phase: Phase, operation: Operation) -> Finding:
    waited_s = operation.waited_s or 0.0
    evidence = [*_shares(operation), seconds_evidence(f"{_where(operation)}.waited_s", waited_s)]
    replay = worker_replay(measured, phase)
    saving_s = basis = None
    if replay is not None:
        line = OPERATION_LINE_PREFIX + operation.name
        saving_s = replay.saving_without_s(line)
        basis = "the loader replayed without it, every batch made faster by its exclusive time"
        halved_s = replay.saving_without_s(line, 0.5)
        evidence.append(seconds_evidence(f"{_where(operation)}.saving_if_halved_s", halved_s))
    cause = cause_of(measured, phase, Line.DATA_WAIT.value)
    name = quoted(operation.name)
    return Finding(
        id=f"{WORKER_OPERATION.id}:{phase.name}:{operation.name}",
        severity=WORKER_OPERATION.severity(share_of(phase, waited_s)),
        title=title(f"{PHASE_WORDS[phase.name]} waits for {name} in its loader workers"),
        evidence=[*evidence, *cause_evidence(cause)],
        estimated_saving_s=saving_s,
        saving_basis=basis,
        advice=f"Make {name} cheaper, or do its work once instead of in every epoch "
        "(cached in memory or on disk); more workers only hide it.",
        lines=[f"{phase.name}.{Line.DATA_WAIT.value}"],
        cause=cause,
    )


def _shares(operation: Operation) -> list[Evidence]:
    share = operation.share_of_phase or 0.0
    return [
        Evidence(metric=f"{_where(operation)}.share_of_phase", value=share, unit="share"),
        seconds_evidence(f"{_where(operation)}.exclusive_s", operation.exclusive_s),
    ]


def _where(operation: Operation) -> str:
    return f"operations.{operation.name}.{operation.phase}"
