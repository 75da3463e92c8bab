"""A step takes much of its stage by itself: Python in its own lines, which no function names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import COSTLY_STEP_CODE
from ocr_baseline.analysis.findings.dominant_function import met_in_lines
from ocr_baseline.analysis.findings.main_thread_wait import main_thread_wait
from ocr_baseline.analysis.findings.named_cause import percent_words, place_of
from ocr_baseline.analysis.findings.rule import Silence, quoted, share_of
from ocr_baseline.analysis.functions.origin import place_in_file
from ocr_baseline.analysis.replay.savings import main_thread_saving
from ocr_baseline.model.document import Evidence, Finding, NamedCause
from ocr_baseline.vocabulary import PHASE_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.findings.main_thread_wait import MainThreadWait
    from ocr_baseline.analysis.functions.step_code import Called, StepCode
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import BreakdownLine, Phase


def costly_step_code(measured: Measured) -> Iterator[Finding | Silence]:
    """Find steps whose own lines take much of their stage.

    How much of it could go isn't known: what the step has to compute is in it too. The saving is
    that of all of it, and its range begins at nothing. Where the main thread mostly waited in the
    line, what it waited for may be elsewhere: the saving is the most then.
    """

    def codes(phase: Phase, line: BreakdownLine) -> Iterator[StepCode]:
        sampled = measured.sampled.get((phase.name, line.name))
        code = None if sampled is None else sampled.step_code
        if code and code.share * share_of(phase, line.total_s) >= COSTLY_STEP_CODE["medium"]:
            yield code

    for met in met_in_lines(measured, COSTLY_STEP_CODE, codes):
        yield met if isinstance(met, Silence) else _finding(measured, *met)


def _finding(measured: Measured, phase: Phase, line: BreakdownLine, code: StepCode) -> Finding:
    where = f"phases.{phase.name}.breakdown.{line.name}"
    line_share = share_of(phase, line.total_s)
    of_phase = NamedCause(
        name=code.step.name,
        file=code.step.file,
        line=code.step.line,
        share=code.share * line_share,
        low=code.low * line_share,
        high=code.high * line_share,
        of=f"phases.{phase.name}",
    )
    wait = main_thread_wait(measured, phase, line)
    saving_s, basis, low_s = None, None, None
    if not (code.called and code.called.is_import):  # else it takes as long wherever it stands
        what = "without it" if wait is None else "without it and what it waits for"
        saving_s, basis = main_thread_saving(
            measured, phase, line.name, code.share * line.total_s, what, removed=code.share
        )
        low_s = 0.0
    percent = percent_words(of_phase.share, of_phase.low, of_phase.high)
    return Finding(
        id=f"{COSTLY_STEP_CODE.id}:{phase.name}",
        severity=COSTLY_STEP_CODE.severity(of_phase.share),
        title=f"{place_of(of_phase)} takes {percent} of {PHASE_WORDS[phase.name]} "
        + _beside(code.called)
        + ("" if wait is None else f", and most of {quoted(line.name)} is waiting"),
        evidence=[
            Evidence(metric=f"{where}.step_code.share", value=code.share, unit="share"),
            Evidence(metric=f"{where}.total_s", value=line.total_s, unit="s"),
            *_called_evidence(where, code),
            *(wait.evidence if wait is not None else ()),
        ],
        estimated_saving_s=saving_s,
        estimated_saving_low_s=low_s,
        saving_is_the_most=saving_s is not None and wait is not None,
        saving_basis=basis,
        advice=_advice(code, wait),
        lines=[f"{phase.name}.{line.name}"],
        cause=of_phase,
    )


def _advice(code: StepCode, wait: MainThreadWait | None) -> str:
    called = code.called
    look = (
        "Look in it for loops, sorting and conversions in Python: do them on whole tensors, "
        "for some of the batches, or once an epoch. Operators of torch that stand in it count too, "
        "and so does the wait for an accelerator where it reads a value, as .item() does."
    )
    if called is None:
        if wait is not None:
            return f"Find what the step waits for: {wait.causes} {wait.numbers}"
        return look
    if called.is_import:
        return (
            f"{called.share:.0%} of that is the import of {_place(called)}, which takes as long "
            "wherever it stands: import it before the training begins, or import less."
        )
    inside = f"{called.share:.0%} of that is in {_place(called)}, which its lines call"
    if wait is not None:
        return f"{inside}: find what it waits for, {wait.causes} {wait.numbers}"
    return (
        f"{inside}: do it for some of the batches, once an epoch, or beside the step. What that "
        "function waits for counts too."
    )


def _beside(called: Called | None) -> str:
    if called is None:
        return "by itself, beside the model and the functions that it calls"
    kind = "importing" if called.is_import else "mostly in"
    return f"beside the model, {kind} {_place(called)}"


def _place(called: Called) -> str:
    function = called.function
    if called.is_import:
        return quoted(function.file)
    return quoted(f"{function.name} ({place_in_file(function.file, function.line)})")


def _called_evidence(where: str, code: StepCode) -> list[Evidence]:
    if code.called is None:
        return []
    metric = f"{where}.step_code.functions.{code.called.function.name}.share"
    return [Evidence(metric=metric, value=code.called.share, unit="share")]
