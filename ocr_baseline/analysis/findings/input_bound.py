"""The main thread waits for its data loader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.rule import (
    MODERATELY,
    count_evidence,
    seconds_evidence,
    severity_of,
    share_evidence,
    too_few_batches,
)
from ocr_baseline.analysis.measured import line_of
from ocr_baseline.model.document import Finding
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.findings.rule import Silence
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import BreakdownLine, Evidence, Operation, Phase

RULE = "input-bound"


def input_bound(measured: Measured) -> Iterator[Finding | Silence]:
    """Find stages that wait for data: highly at 20% of the stage, moderately at 5%.

    The thresholds are those of XProf's input-pipeline analyzer. With the data ready in time the
    stage would be shorter by the whole wait.
    """
    for phase in measured.whole_phases:
        line = line_of(phase, Line.DATA_WAIT.value)
        if line is None or (line.share or 0.0) < MODERATELY:
            continue
        silence = too_few_batches(RULE, phase)
        yield silence if silence is not None else _finding(measured, phase, line)


def _finding(measured: Measured, phase: Phase, line: BreakdownLine) -> Finding:
    share = line.share or 0.0
    evidence, advice = _workers(measured, phase)
    return Finding(
        id=f"{RULE}:{phase.name}",
        severity=severity_of(share),
        title=f"{phase.name} waits for its data",
        evidence=[
            share_evidence(phase, line.name, share),
            seconds_evidence(f"phases.{phase.name}.breakdown.{line.name}.total_s", line.total_s),
            *evidence,
        ],
        estimated_saving_s=line.total_s,
        saving_basis="batches ready when they are asked for",
        advice=advice,
    )


def _workers(measured: Measured, phase: Phase) -> tuple[list[Evidence], str]:
    """Return what is known of the phase's workers, and the advice that follows from it."""
    workers = next((entry for entry in measured.workers if entry.phase == phase.name), None)
    if workers is None:
        return [], (
            "No loader worker was recorded in this stage. If its loader has none, the main thread "
            "makes the batches itself: set num_workers above 0."
        )
    evidence = [count_evidence(f"workers.{phase.name}.count", workers.count)]
    advice = "Give the loader more workers while cores are idle, or make its work cheaper."
    heaviest = _waited_for_longest(measured, phase)
    if heaviest is not None and heaviest.waited_s:
        where = f"operations.{heaviest.name}.{phase.name}"
        evidence.append(seconds_evidence(f"{where}.waited_s", heaviest.waited_s))
        advice += f" Of the named operations, {heaviest.name} was waited for longest."
    return evidence, advice


def _waited_for_longest(measured: Measured, phase: Phase) -> Operation | None:
    return max(
        (o for o in measured.operations if o.phase == phase.name and o.process == "worker"),
        key=lambda operation: operation.waited_s or 0.0,
        default=None,
    )
