"""The main thread stands in a call that waits until the accelerator has done everything."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import SYNCHRONIZING_CALLS
from ocr_baseline.analysis.findings.rule import (
    count_evidence,
    quoted,
    seconds_evidence,
    share_of,
    title,
)
from ocr_baseline.analysis.functions.origin import origin_of, own_name, path_of, place_in_file
from ocr_baseline.model.document import Finding
from ocr_baseline.vocabulary import FETCH_LINE, PHASE_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.functions.call_tree import Stack
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Phase
    from ocr_baseline.model.run import SampledFunction

_WAITS = "synchronize"
_HOMES = ("torch/cuda/__init__.py", "torch/cuda/streams.py", "torch/accelerator/__init__.py")
"""Torch's functions that wait for the device. `.item()` and `.cpu()` wait inside of C code, which
no stack of Python functions shows."""


@dataclass
class _Waits:
    """What sampling met in such calls: seconds by line, samples, and who called."""

    lines_s: dict[str, float] = field(default_factory=dict)
    ticks: int = 0
    callers: Counter[SampledFunction] = field(default_factory=Counter)


def synchronizing_calls(measured: Measured) -> Iterator[Finding]:
    """Find stages that spend much of their time in calls that wait for the accelerator."""
    for phase in measured.whole_phases:
        waits = _waits(measured, phase)
        took_s = sum(waits.lines_s.values())
        is_much = share_of(phase, took_s) >= SYNCHRONIZING_CALLS["medium"]
        if is_much and waits.ticks >= SYNCHRONIZING_CALLS["ticks"]:
            yield _finding(phase, waits, took_s)


def _waits(measured: Measured, phase: Phase) -> _Waits:
    waits = _Waits()
    for line in phase.breakdown:
        sampled = measured.sampled.get((phase.name, line.name))
        if sampled is None or line.name == FETCH_LINE:
            continue
        ticks = 0
        for stack, met in sampled.stacks:
            place = _place_of_wait(stack)
            if place is not None:
                ticks += met
                waits.callers[_caller(stack, place)] += met
        if ticks:
            waits.ticks += ticks
            waits.lines_s[line.name] = line.total_s * ticks / sampled.ticks
    return waits


def _place_of_wait(stack: Stack) -> int | None:
    for place, function in enumerate(stack):
        if own_name(function) == _WAITS and path_of(function).endswith(_HOMES):
            return place
    return None


def _caller(stack: Stack, place: int) -> SampledFunction:
    """Return the innermost function of the user's or a library's around the wait."""
    around = [one for one in stack[:place] if origin_of(one) in ("user", "library")]
    return around[-1] if around else stack[max(place - 1, 0)]


def _finding(phase: Phase, waits: _Waits, took_s: float) -> Finding:
    (caller, _), *_ = waits.callers.most_common(1)
    share = share_of(phase, took_s)
    by_line = sorted(waits.lines_s.items(), key=lambda item: -item[1])
    return Finding(
        id=f"{SYNCHRONIZING_CALLS.id}:{phase.name}",
        severity=SYNCHRONIZING_CALLS.severity(share),
        title=title(f"{PHASE_WORDS[phase.name]} waits for the accelerator in synchronize, ")
        + "called by "
        + quoted(f"{caller.name} ({place_in_file(caller.file, caller.line)})"),
        evidence=[
            *(
                seconds_evidence(f"phases.{phase.name}.breakdown.{line}.synchronize_s", value)
                for line, value in by_line
            ),
            count_evidence(f"phases.{phase.name}.synchronize_samples", waits.ticks),
        ],
        advice="Leave the call out: results are waited for when they are read. If it is there to "
        "time something, time a few batches only. The device's work takes as long without it; "
        "what can go is the time in which the device then waits for the host.",
        lines=[f"{phase.name}.{line}" for line, _ in by_line],
    )
