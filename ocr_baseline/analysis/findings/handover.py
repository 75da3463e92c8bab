"""Taking batches from the loader's workers takes long, though they were made in time.

A worker copies a batch's tensors into shared memory and pickles the rest, and the main thread maps
and unpickles them. None of this is a wait for the making of a batch, and more workers don't help.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import HANDOVER
from ocr_baseline.analysis.findings.rule import (
    count_evidence,
    seconds_evidence,
    share_evidence,
    share_of,
    title,
    too_few_batches,
)
from ocr_baseline.analysis.measured import line_of
from ocr_baseline.analysis.sampler import time_in_sampler_s
from ocr_baseline.model.document import Finding
from ocr_baseline.vocabulary import PHASE_WORDS, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.findings.rule import Silence
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import BreakdownLine, Phase, Workers


def handover(measured: Measured) -> Iterator[Finding | Silence]:
    """Find stages that wait for batches although no worker was at work on one."""
    for phase in measured.whole_phases:
        line = line_of(phase, Line.DATA_WAIT.value)
        workers = measured.workers_of(phase)
        if line is None or workers is None:
            continue
        waited_s = waited_for_making_s(phase, workers, line)
        taken_s = line.total_s - waited_s - time_in_sampler_s(measured, phase)
        if share_of(phase, taken_s) < HANDOVER["medium"]:
            continue
        silence = too_few_batches(HANDOVER, phase)
        yield silence if silence is not None else _finding(phase, line, workers, taken_s)


def waited_for_making_s(phase: Phase, workers: Workers, line: BreakdownLine) -> float:
    """Return the part of the wait in which workers were at work, in seconds.

    All of it where some batches' making was not recorded, as of a worker that was killed.
    """
    batches = phase.batches
    if batches is None or workers.batches < batches:
        return line.total_s
    return min(workers.waited_s, line.total_s)


def _finding(phase: Phase, line: BreakdownLine, workers: Workers, taken_s: float) -> Finding:
    where = f"workers.{phase.name}"
    return Finding(
        id=f"{HANDOVER.id}:{phase.name}",
        severity=HANDOVER.severity(share_of(phase, taken_s)),
        title=title(f"{PHASE_WORDS[phase.name]} takes long to receive batches that are ready"),
        evidence=[
            share_evidence(phase, line.name, line.share or 0.0),
            seconds_evidence(f"phases.{phase.name}.breakdown.{line.name}.total_s", line.total_s),
            seconds_evidence(f"{where}.waited_s", workers.waited_s),
            count_evidence(f"{where}.count", workers.count),
        ],
        advice="Let each batch be few large tensors of small types (uint8 images) instead of many "
        "small ones, lists or objects: each tensor is mapped, and everything else pickled. Where "
        "a batch is made faster than it is handed over, num_workers=0 may be as fast.",
        lines=[f"{phase.name}.{line.name}"],
    )
