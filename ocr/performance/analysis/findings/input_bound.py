"""The main thread waits for its data loader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr.performance.analysis.findings.rule import (
    Silence,
    count_evidence,
    seconds_evidence,
    share_evidence,
)
from ocr.performance.analysis.measured import line_of
from ocr.performance.baseline import Finding
from ocr.performance.stages import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr.performance.analysis.measured import Measured
    from ocr.performance.baseline import BreakdownLine, Phase

RULE = "input-bound"
HIGHLY = 0.20
MODERATELY = 0.05
MIN_BATCHES = 5


def input_bound(measured: Measured) -> Iterator[Finding | Silence]:
    """Find stages that wait for data: highly at 20% of the stage, moderately at 5%.

    The thresholds are those of XProf's input-pipeline analyzer. With the data ready in time the
    stage would be shorter by the whole wait.
    """
    for phase in measured.whole_phases:
        line = line_of(phase, Line.DATA_WAIT.value)
        if not phase.breakdown:
            continue
        if (phase.batches or 0) < MIN_BATCHES:
            yield Silence(RULE, f"{phase.name} has {phase.batches} batches, {MIN_BATCHES} needed")
        elif line is not None and (line.share or 0.0) >= MODERATELY:
            yield _finding(measured, phase, line)


def _finding(measured: Measured, phase: Phase, line: BreakdownLine) -> Finding:
    share = line.share or 0.0
    workers = next((entry for entry in measured.workers if entry.phase == phase.name), None)
    heaviest = max(
        (o for o in measured.operations if o.phase == phase.name and o.process == "worker"),
        key=lambda operation: operation.waited_s or 0.0,
        default=None,
    )
    evidence = [
        share_evidence(phase, line.name, share),
        seconds_evidence(f"phases.{phase.name}.breakdown.{line.name}.total_s", line.total_s),
    ]
    if workers is None:
        advice = "The main thread makes its own batches: set num_workers above 0."
    else:
        evidence.append(count_evidence(f"workers.{phase.name}.count", workers.count))
        advice = "Give the loader more workers while cores are idle, or make its work cheaper."
        if heaviest is not None and heaviest.waited_s:
            evidence.append(
                seconds_evidence(
                    f"operations.{heaviest.name}.{phase.name}.waited_s", heaviest.waited_s
                )
            )
            advice += f" Of the named operations, {heaviest.name} was waited for longest."
    return Finding(
        id=f"{RULE}:{phase.name}",
        severity="high" if share >= HIGHLY else "medium",
        title=f"{phase.name} waits for its data",
        evidence=evidence,
        estimated_saving_s=line.total_s,
        saving_basis="batches ready when they are asked for",
        advice=advice,
    )
