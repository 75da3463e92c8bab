"""The accelerator is idle within the steps: the host queues work more slowly than it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.accelerator_idle import (
    queueing_lines,
    too_few_samples,
)
from ocr_baseline.analysis.findings.catalogue import HOST_BOUND
from ocr_baseline.analysis.findings.rule import count_evidence, seconds_evidence, title
from ocr_baseline.model.document import Evidence, Finding
from ocr_baseline.vocabulary import PHASE_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.findings.rule import Silence
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Phase, Utilization


def host_bound(measured: Measured) -> Iterator[Finding | Silence]:
    """Find stages whose accelerator is idle for longer than the lines beside the steps take."""
    for phase in measured.whole_phases:
        use, idle = phase.accelerator_utilization, phase.accelerator_idle
        if use is None or idle is None or idle.host_bound_share < HOST_BOUND["medium"]:
            continue
        silence = too_few_samples(HOST_BOUND, phase, use)
        if silence is not None:
            yield silence
        elif idle.host_bound_share > _margin(use):
            yield _finding(phase, use, idle.host_bound_share)


def _margin(use: Utilization) -> float:
    """Return half of the mean utilization's interval, as a share; all of it where unknown."""
    high = use.mean_high_percent
    return 1.0 if high is None else (high - use.mean_percent) / 100


def _finding(phase: Phase, use: Utilization, waits_share: float) -> Finding:
    where = f"phases.{phase.name}.accelerator_utilization"
    total_s = phase.total_s or 0.0
    return Finding(
        id=f"{HOST_BOUND.id}:{phase.name}",
        severity=HOST_BOUND.severity(waits_share),
        title=title(f"{PHASE_WORDS[phase.name]}'s steps are bound by the host: in ")
        + f"{waits_share:.0%} of the stage the accelerator waits for them",
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
        estimated_saving_s=waits_share * total_s,
        estimated_saving_low_s=0.0,
        estimated_saving_high_s=waits_share * total_s,
        saving_is_the_most=True,
        saving_basis="an estimate, and at most this: the time in which the accelerator ran "
        "nothing, by samples of its utilization, less all time outside of the lines that queue "
        "its work",
        advice="Let each call queue more work: larger batches, torch.compile or CUDA graphs, "
        "fused optimizers. Take Python loops out of the step, and whatever waits for the device "
        "there (.item(), .cpu(), printing a tensor): the host can't get ahead of it then.",
        lines=queueing_lines(phase),
    )
