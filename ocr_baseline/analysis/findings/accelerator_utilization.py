"""The accelerator ran nothing for much of a stage, or stood still again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.accelerator_idle import (
    heaviest_beside,
    is_in_steps,
    queueing_lines,
    too_few_samples,
)
from ocr_baseline.analysis.findings.catalogue import ACCELERATOR_UTILIZATION as KIND
from ocr_baseline.analysis.findings.rule import count_evidence, share_evidence, title
from ocr_baseline.model.document import Evidence, Finding
from ocr_baseline.vocabulary import PHASE_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.findings.rule import Silence
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Phase, Severity, Utilization


def accelerator_utilization(measured: Measured) -> Iterator[Finding | Silence]:
    """Find stages whose accelerator is mostly idle, or idle now and then."""
    for phase in measured.whole_phases:
        use = phase.accelerator_utilization
        if use is None or use.p5_percent is None or use.p95_percent is None:
            continue
        is_low = use.p95_percent < KIND["p95"]
        if is_low or use.p5_percent < KIND["p5"]:
            yield too_few_samples(KIND, phase, use) or _finding(phase, use, is_low=is_low)


def _finding(phase: Phase, use: Utilization, *, is_low: bool) -> Finding:
    where = f"phases.{phase.name}.accelerator_utilization"
    beside = heaviest_beside(phase)
    fields = {
        "mean_percent": use.mean_percent,
        "p5_percent": use.p5_percent or 0.0,
        "p95_percent": use.p95_percent or 0.0,
    }
    evidence = [
        Evidence(metric=f"{where}.{name}", value=value, unit="percent")
        for name, value in fields.items()
    ]
    evidence.append(count_evidence(f"{where}.samples", use.samples))
    if beside is not None and beside.share is not None:
        evidence.append(share_evidence(phase, beside.name, beside.share))
    words = f"{PHASE_WORDS[phase.name]} leaves the accelerator idle"
    busy = f"it is busy {use.mean_percent:.0f}% of the time"
    return Finding(
        id=f"{KIND.id}:{phase.name}",
        severity=_severity(use, is_low=is_low),
        title=title(words if is_low else f"{words} now and then") + f": {busy}",
        evidence=evidence,
        advice=_advice(phase),
        lines=_lines(phase),
    )


def _severity(use: Utilization, *, is_low: bool) -> Severity:
    if not is_low:
        return "low"
    return "high" if use.mean_percent < KIND["half"] else "medium"


def _advice(phase: Phase) -> str:
    beside = heaviest_beside(phase)
    if beside is None or is_in_steps(phase):
        return (
            "Most of its idle time falls into the steps themselves: the host queues work more "
            "slowly than the device does it."
        )
    return (
        f"The main thread spends {beside.share or 0.0:.0%} of the stage in {beside.name}, where "
        "it queues no step: mend that first."
    )


def _lines(phase: Phase) -> list[str]:
    """Return the lines whose findings explain it: those of the steps, or the largest beside."""
    beside = heaviest_beside(phase)
    if beside is None or is_in_steps(phase):
        return queueing_lines(phase)
    return [f"{phase.name}.{beside.name}"]
