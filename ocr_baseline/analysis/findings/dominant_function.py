"""A sampled function beside the model takes much of a stage, in a line that nothing else judges."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ocr_baseline.analysis.findings.catalogue import DOMINANT_FUNCTION
from ocr_baseline.analysis.findings.lines import is_judged
from ocr_baseline.analysis.findings.main_thread_wait import main_thread_wait
from ocr_baseline.analysis.findings.named_cause import percent_words, place_of
from ocr_baseline.analysis.findings.rule import Silence, quoted, share_of, too_few_batches
from ocr_baseline.analysis.replay.savings import main_thread_saving
from ocr_baseline.model.document import Evidence, Finding, NamedCause
from ocr_baseline.vocabulary import PHASE_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ocr_baseline.analysis.findings.kind import Kind
    from ocr_baseline.analysis.findings.main_thread_wait import MainThreadWait
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import BreakdownLine, FunctionShare, Phase


Met = TypeVar("Met")


def dominant_function(measured: Measured) -> Iterator[Finding | Silence]:
    """Find functions that take much of a stage within the model's own lines.

    A line such as `forward` is what a stage is for and is never a finding as a whole; a function
    in it that draws, decodes or sorts may well be one.
    """
    operations = {operation.name for operation in measured.operations}

    def functions(phase: Phase, line: BreakdownLine) -> list[FunctionShare]:
        return [] if line.name in operations else _functions(measured, phase, line)

    for met in met_in_lines(measured, DOMINANT_FUNCTION, functions):
        yield met if isinstance(met, Silence) else _finding(measured, *met)


def met_in_lines(
    measured: Measured, kind: Kind, find: Callable[[Phase, BreakdownLine], Iterable[Met]]
) -> Iterator[tuple[Phase, BreakdownLine, Met] | Silence]:
    """Yield what `find` returns of each line that has no finding of its own.

    Phases of less than the kind's `of_run` are left out; one with too few batches is a silence.
    """
    for phase in measured.whole_phases:
        if _share_of_run(measured, phase) < kind["of_run"]:
            continue
        found = [
            (phase, line, met)
            for line in phase.breakdown
            if not is_judged(measured, phase, line.name)
            for met in find(phase, line)
        ]
        silence = too_few_batches(kind, phase) if found else None
        if silence is not None:
            yield silence
        else:
            yield from found


def _share_of_run(measured: Measured, phase: Phase) -> float:
    return (phase.total_s or 0.0) / measured.total_s if measured.total_s else 0.0


def _functions(measured: Measured, phase: Phase, line: BreakdownLine) -> list[FunctionShare]:
    sampled = measured.sampled.get((phase.name, line.name))
    if sampled is None or not line.share or line.share < DOMINANT_FUNCTION["medium"]:
        return []
    return sampled.separable(DOMINANT_FUNCTION["medium"] / line.share)


def _finding(
    measured: Measured, phase: Phase, line: BreakdownLine, function: FunctionShare
) -> Finding:
    where = f"phases.{phase.name}.breakdown.{line.name}"
    line_share = share_of(phase, line.total_s)
    of_phase = NamedCause(
        name=function.name,
        file=function.file,
        line=function.line,
        share=function.inclusive_share * line_share,
        low=function.low * line_share,
        high=function.high * line_share,
        of=f"phases.{phase.name}",
    )
    percent = percent_words(of_phase.share, of_phase.low, of_phase.high)
    wait = main_thread_wait(measured, phase, line)
    saving_s, basis = _saving(measured, phase, line, function.inclusive_share)
    return Finding(
        id=f"{DOMINANT_FUNCTION.id}:{phase.name}:{function.name}",
        severity=DOMINANT_FUNCTION.severity(of_phase.share),
        title=f"{place_of(of_phase)} takes {percent} of {PHASE_WORDS[phase.name]}"
        + ("" if wait is None else f", and most of {quoted(line.name)} is waiting"),
        evidence=[
            Evidence(
                metric=f"{where}.functions.{function.name}.inclusive_share",
                value=function.inclusive_share,
                unit="share",
            ),
            Evidence(metric=f"{where}.total_s", value=line.total_s, unit="s"),
            *(wait.evidence if wait is not None else ()),
        ],
        estimated_saving_s=saving_s,
        estimated_saving_low_s=_saving(measured, phase, line, function.low)[0],
        estimated_saving_high_s=_saving(measured, phase, line, function.high)[0],
        saving_basis=basis,
        advice=_advice(line, wait),
        lines=[f"{phase.name}.{line.name}"],
        cause=of_phase,
    )


def _advice(line: BreakdownLine, wait: MainThreadWait | None) -> str:
    if wait is not None:
        return (
            f"Find whether it waits, and what for: {wait.causes} {wait.numbers} If it computes "
            "instead, call it less often or on less data."
        )
    return (
        "Call it less often or on less data, or replace it with a faster equivalent; what isn't "
        "needed at every batch can be done for some of them. If it is the model's own computation, "
        f"there may be nothing to take out. It runs within {quoted(line.name)}."
    )


def _saving(
    measured: Measured, phase: Phase, line: BreakdownLine, share: float
) -> tuple[float, str]:
    took_s = share * line.total_s
    return main_thread_saving(measured, phase, line.name, took_s, "without it", removed=share)
