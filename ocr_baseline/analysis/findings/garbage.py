"""Python's garbage collector takes much of a stage's main thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import GARBAGE_COLLECTION
from ocr_baseline.analysis.findings.named_cause import (
    begin_with,
    cause_evidence,
    cause_of,
    with_cause,
)
from ocr_baseline.analysis.findings.rule import (
    Silence,
    count_evidence,
    quoted,
    seconds_evidence,
    share_of,
    title,
    too_few_batches,
)
from ocr_baseline.analysis.measured import line_of
from ocr_baseline.analysis.replay.savings import main_thread_saving
from ocr_baseline.model.document import Finding
from ocr_baseline.vocabulary import PHASE_WORDS, PHASES, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import NamedCause, Phase
    from ocr_baseline.model.run import GarbageRecord


def garbage_collection(measured: Measured) -> Iterator[Finding | Silence]:
    """Find stages in which pauses of the collector are worth a headline.

    Pauses in the profiler's own line, as where it reads a window of torch.profiler, are its cost. A
    single full collection is no habit of the training's: any import before it may have brought it
    on, ours too.
    """
    for garbage in measured.run.garbage:
        phase = measured.phase(PHASES.get(garbage.stage, ""))
        if phase is None or share_of(phase, _paused_s(garbage)) < GARBAGE_COLLECTION["low"]:
            continue
        silence = too_few_batches(GARBAGE_COLLECTION, phase) or _too_few_collections(phase, garbage)
        yield _finding(measured, phase, garbage) if silence is None else silence


def _too_few_collections(phase: Phase, garbage: GarbageRecord) -> Silence | None:
    if garbage.full_collections != 1:
        return None
    return Silence(GARBAGE_COLLECTION.id, f"{phase.name} has 1 full collection, 2 needed")


def _finding(measured: Measured, phase: Phase, garbage: GarbageRecord) -> Finding:
    share = share_of(phase, _paused_s(garbage))
    line = max(_lines_s(garbage).items(), key=lambda one: one[1])[0]
    saving_s, basis = _saving(measured, phase, garbage, line)
    cause = _cause(measured, phase, garbage, line)
    return Finding(
        id=f"{GARBAGE_COLLECTION.id}:{phase.name}",
        severity=GARBAGE_COLLECTION.severity(share),
        title=with_cause(
            title(
                f"{PHASE_WORDS[phase.name]} is held by Python's garbage collector", by=quoted(line)
            ),
            cause,
        ),
        evidence=[
            seconds_evidence(f"phases.{phase.name}.garbage_s", garbage.total_s),
            count_evidence(f"phases.{phase.name}.garbage_collections", garbage.collections),
            count_evidence(
                f"phases.{phase.name}.full_garbage_collections", garbage.full_collections
            ),
            *cause_evidence(cause),
        ],
        estimated_saving_s=saving_s,
        saving_basis=basis,
        advice=begin_with(
            cause,
            "Take gc.collect() out of steps, hooks and callbacks. If nothing calls it, keep what "
            "stays alive out of the collector's way (gc.freeze() once the training is set up), "
            "collect less often (gc.set_threshold), and make fewer objects that refer to each "
            "other.",
        ),
        lines=[f"{phase.name}.{line}"],
        cause=cause,
    )


def _lines_s(garbage: GarbageRecord) -> dict[str, float]:
    return {name: s for name, s in garbage.lines_s.items() if name != Line.PROFILER.value}


def _paused_s(garbage: GarbageRecord) -> float:
    return sum(_lines_s(garbage).values())


def _cause(
    measured: Measured, phase: Phase, garbage: GarbageRecord, line: str
) -> NamedCause | None:
    """Return the function of the line that holds most of its pauses, whichever moments they are.

    Pauses of a share g of the line and a function of a share s have at least s + g - 1 in common.
    """
    of_phase, cause = line_of(phase, line), cause_of(measured, phase, line)
    if of_phase is None or cause is None or cause.of.startswith("workers."):
        return None
    paused = min(garbage.lines_s[line] / of_phase.total_s, 1.0) if of_phase.total_s else 0.0
    return cause if cause.low + paused - 1 > paused / 2 else None


def _saving(
    measured: Measured, phase: Phase, garbage: GarbageRecord, line: str
) -> tuple[float, str]:
    """Return what the stage would be shorter by without any pause.

    The replay takes all pauses as if they were in the line that most of them are in.
    """
    of_phase, paused_s = line_of(phase, line), _paused_s(garbage)
    removed = 1.0 if of_phase is None else min(paused_s / of_phase.total_s, 1.0)
    what = "without the collector's pauses"
    return main_thread_saving(measured, phase, line, paused_s, what, removed)
