"""The accelerator is busy, and does far fewer operations than it could."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.accelerator_idle import queueing_lines, too_few_samples
from ocr_baseline.analysis.findings.catalogue import LOW_MFU
from ocr_baseline.analysis.findings.rule import count_evidence, title
from ocr_baseline.model.document import Evidence, Finding
from ocr_baseline.vocabulary import PHASE_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.findings.rule import Silence
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Flops, Phase, Utilization


def low_mfu(measured: Measured) -> Iterator[Finding | Silence]:
    """Find stages whose accelerator is busy all the time and uses little of what it can do.

    One that is idle has a finding on that, and a low use of its operations for that reason.
    """
    for phase in measured.whole_phases:
        flops, use = phase.flops, phase.accelerator_utilization
        if flops is None or flops.mfu is None or use is None or use.p95_percent is None:
            continue
        if flops.mfu < LOW_MFU["mfu"] and use.mean_percent >= LOW_MFU["busy"]:
            yield too_few_samples(LOW_MFU, phase, use) or _finding(phase, flops, flops.mfu, use)


LEAST_TOLD = 0.001
"""A smaller share is told as less than this one: rounded, it would read as nothing."""


def _finding(phase: Phase, flops: Flops, mfu: float, use: Utilization) -> Finding:
    where = f"phases.{phase.name}"
    told = f"{mfu:.1%}" if mfu >= LEAST_TOLD else f"less than {LEAST_TOLD:.1%}"
    rates = {"flops_per_s": flops.flops_per_s, "peak_flops_per_s": flops.peak_flops_per_s}
    return Finding(
        id=f"{LOW_MFU.id}:{phase.name}",
        severity="low",
        title=title(f"{PHASE_WORDS[phase.name]} keeps the accelerator busy with {told} of the ")
        + "operations that it can do",
        evidence=[
            Evidence(metric=f"{where}.flops.mfu", value=mfu, unit="share"),
            *(
                Evidence(metric=f"{where}.flops.{name}", value=value, unit="FLOP/s")
                for name, value in rates.items()
                if value is not None
            ),
            Evidence(
                metric=f"{where}.accelerator_utilization.mean_percent",
                value=use.mean_percent,
                unit="percent",
            ),
            count_evidence(f"{where}.accelerator_utilization.samples", use.samples),
        ],
        advice="Its time goes to moving data and to small kernels: try mixed precision, "
        "channels_last for convolutions, torch.compile to fuse what is elementwise, sizes that are "
        "multiples of 8, larger batches. PerformanceProfilerCallback(profile_window=3) shows the "
        "kernels.",
        lines=queueing_lines(phase),
    )
