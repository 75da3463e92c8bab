"""Much of the run passed before its first training batch had ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import SLOW_START
from ocr_baseline.analysis.findings.named_cause import (
    begin_with,
    cause_evidence,
    named,
    with_cause,
)
from ocr_baseline.analysis.findings.rule import quoted, seconds_evidence
from ocr_baseline.model.document import Evidence, Finding
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Severity, Start, StartPart

_HOOK = (
    "Do its work once and keep the result on disk, or do it when it is needed: a run repeats it at "
    "each start."
)
_REMOVABLE = {
    "prepare_data": _HOOK,
    "datamodule_setup": _HOOK,
    Line.MODULE_HOOKS.value: _HOOK,
    Line.CALLBACKS.value: "See what its hooks do before the training, and whether this run needs "
    "it.",
    Line.LOADER_STARTUP.value: "See what the dataloader hooks do: open files and build indices "
    "once, or at the first sample that needs them.",
    "sanity_check": "Once the validation works, num_sanity_val_steps=0 leaves it out; what its "
    "loaders take to start then comes with the first validation.",
}
"""Advice on parts that a run could do without, by their name or by the group before its colon."""

_FIXED = {
    "script": "See which imports take long with python -X importtime, and what else the script "
    "does before it makes the callback.",
    "first_fetch": "A batch can't come before its workers have started: see what the dataset does "
    "when it is copied to a worker and when it is read for the first time.",
    "first_step": "Compiling, autotuning and allocating come with the first batch; where the model "
    "is compiled, a cache of compiled code that outlives the run shortens it.",
}
_ALSO_LOADER_STARTUP = ("first_fetch", Line.LOADER_STARTUP.value)
"""Parts whose seconds are in that line of the training as well."""

_UNKNOWN = "The functions that were sampled there, if any, are in the report's table."


def slow_start(measured: Measured) -> Iterator[Finding]:
    """Find a start that a user waits for, and name its longest part that could go."""
    start, run_s = measured.start, measured.total_s
    if start is None or not run_s:
        return
    took_s = start.time_to_first_step_s
    part = _leading_part(start, run_s)
    advice = _removable(part)
    is_long = took_s >= SLOW_START["seconds"] and took_s >= SLOW_START["of_run"] * run_s
    can_go = advice is not None and part.total_s >= SLOW_START["flow"]
    if not is_long and not (can_go and part.total_s >= SLOW_START["high"] * run_s):
        return
    digits = 1 if took_s < 100 else 0
    cause = named(part.cause, f"start.breakdown.{part.name}")
    yield Finding(
        id=f"{SLOW_START.id}:{part.name}",
        severity=_severity(part.total_s / run_s, can_go=advice is not None),
        title=with_cause(
            f"The run is slow to start, longest in {quoted(part.name)} "
            f"({part.total_s:.{digits}f} of {took_s:.{digits}f} s)",
            cause,
        ),
        evidence=[
            seconds_evidence("start.time_to_first_step_s", took_s),
            seconds_evidence(f"start.breakdown.{part.name}.total_s", part.total_s),
            *_goodput(measured),
            *cause_evidence(cause),
        ],
        estimated_saving_s=None if advice is None else part.total_s,
        saving_basis=None if advice is None else f"starting without {quoted(part.name)}",
        advice=begin_with(cause, advice or _FIXED.get(part.name, _UNKNOWN)),
        lines=["train.loader_startup"] if part.name in _ALSO_LOADER_STARTUP else [],
        cause=cause,
    )


def _severity(share_of_run: float, *, can_go: bool) -> Severity:
    """Return how much a part matters: what can't go is at most medium, and a note where small."""
    if can_go:
        return SLOW_START.severity(share_of_run)
    return "medium" if share_of_run >= SLOW_START["medium"] else "info"


def _leading_part(start: Start, run_s: float) -> StartPart:
    """Return the longest part that could go and is much of the run, else the longest of all."""
    removable = [
        part
        for part in start.breakdown
        if _removable(part) is not None and part.total_s >= SLOW_START["medium"] * run_s
    ]
    return max(removable or start.breakdown, key=lambda part: part.total_s)


def _removable(part: StartPart) -> str | None:
    return _REMOVABLE.get(part.name.partition(":")[0])


def _goodput(measured: Measured) -> Iterator[Evidence]:
    if measured.goodput is not None:
        yield Evidence(metric="goodput.share", value=measured.goodput.share, unit="share")
