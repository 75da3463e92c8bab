"""The accelerator is idle within the steps: the host queues work more slowly than it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.accelerator_idle import (
    idle_time,
    queueing_lines,
    too_few_samples,
)
from ocr_baseline.analysis.findings.catalogue import HOST_BOUND
from ocr_baseline.analysis.findings.rule import count_evidence, seconds_evidence, title
from ocr_baseline.model.document import Evidence, Finding
from ocr_baseline.vocabulary import PHASE_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.findings.accelerator_idle import IdleTime
    from ocr_baseline.analysis.findings.rule import Silence
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Phase, Utilization


def host_bound(measured: Measured) -> Iterator[Finding | Silence]:
    """Find stages whose accelerator is idle for longer than the lines beside the steps take."""
    for phase in measured.whole_phases:
        use, idle = phase.accelerator_utilization, idle_time(phase)
        if use is None or idle is None or idle.in_steps < HOST_BOUND["medium"]:
            continue
        silence = too_few_samples(HOST_BOUND, phase, use)
        if silence is not None:
            yield silence
        elif idle.in_steps_low > 0:
            yield _finding(phase, use, idle)


def _finding(phase: Phase, use: Utilization, idle: IdleTime) -> Finding:
    where = f"phases.{phase.name}.accelerator_utilization"
    total_s = phase.total_s or 0.0
    return Finding(
        id=f"{HOST_BOUND.id}:{phase.name}",
        severity=HOST_BOUND.severity(idle.in_steps),
        title=title(f"{PHASE_WORDS[phase.name]}'s steps are bound by the host: in ")
        + f"{idle.in_steps:.0%} of the stage the accelerator waits for them",
        evidence=[
            Evidence(metric=f"{where}.mean_percent", value=use.mean_percent, unit="percent"),
            Evidence(
                metric=f"{where}.mean_high_percent",
                value=use.mean_high_percent or use.mean_percent,
                unit="percent",
            ),
            count_evidence(f"{where}.samples", use.samples),
            *(
                seconds_evidence(f"phases.{phase.name}.breakdown.{line.name}.total_s", line.total_s)
                for line in phase.breakdown
                if f"{phase.name}.{line.name}" in queueing_lines(phase)
            ),
        ],
        estimated_saving_s=idle.in_steps * total_s,
        estimated_saving_low_s=0.0,
        estimated_saving_high_s=idle.in_steps * total_s,
        saving_basis="an estimate, and at most this: the time in which the accelerator ran "
        "nothing, by samples of its utilization, less all time outside of the lines that queue "
        "its work",
        advice="Let each call queue more work: larger batches, torch.compile or CUDA graphs, "
        "fused optimizers. Take Python loops out of the step, and whatever waits for the device "
        "there (.item(), .cpu(), printing a tensor): the host can't get ahead of it then.",
        lines=queueing_lines(phase),
    )
