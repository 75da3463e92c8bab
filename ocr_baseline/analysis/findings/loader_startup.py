"""Much of a stage passes before the first batch of each pass: workers start, loaders are made."""

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
    from ocr_baseline.model.document import BreakdownLine, Evidence, Phase, Workers

RULE = "loader-startup"


def loader_startup(measured: Measured) -> Iterator[Finding | Silence]:
    """Find stages that spend 5% (medium) or 20% (high) on starting their loader.

    The limits are those of waiting for data in XProf's input-pipeline analyzer: the first batch of
    a pass is waited for like any other. Workers that were started anew for later passes would be
    started once with `persistent_workers=True`; that saves their start-up in those passes, and no
    more than the line holds.
    """
    for phase in measured.whole_phases:
        line = line_of(phase, Line.LOADER_STARTUP.value)
        if line is None or (line.share or 0.0) < MODERATELY:
            continue
        silence = too_few_batches(RULE, phase)
        yield silence if silence is not None else _finding(measured, phase, line)


def _finding(measured: Measured, phase: Phase, line: BreakdownLine) -> Finding:
    share = line.share or 0.0
    workers = next((entry for entry in measured.workers if entry.phase == phase.name), None)
    saving_s, basis, advice = _remedy(workers, line)
    return Finding(
        id=f"{RULE}:{phase.name}",
        severity=severity_of(share),
        title=f"{phase.name} spends much of its time on starting its loader",
        evidence=[
            share_evidence(phase, line.name, share),
            seconds_evidence(f"phases.{phase.name}.breakdown.{line.name}.total_s", line.total_s),
            *_evidence(workers),
        ],
        estimated_saving_s=saving_s,
        saving_basis=basis,
        advice=advice,
    )


def _remedy(workers: Workers | None, line: BreakdownLine) -> tuple[float, str, str]:
    if workers is not None and workers.startup_mean_s is not None:
        restarts = workers.processes / workers.count - 1
        if restarts > 0:
            return (
                min(line.total_s, restarts * workers.startup_mean_s),
                "workers started once instead of for each pass",
                "Keep the workers from one pass to the next: persistent_workers=True.",
            )
    return (
        line.total_s,
        "first batches ready when they are asked for",
        "Make the first batch cheaper to reach: less work where the dataset and its workers are "
        "made, fewer workers, a smaller first batch; or run longer passes.",
    )


def _evidence(workers: Workers | None) -> Iterator[Evidence]:
    if workers is None:
        return
    where = f"workers.{workers.phase}"
    yield count_evidence(f"{where}.count", workers.count)
    yield count_evidence(f"{where}.processes", workers.processes)
    if workers.startup_mean_s is not None:
        yield seconds_evidence(f"{where}.startup_mean_s", workers.startup_mean_s)
