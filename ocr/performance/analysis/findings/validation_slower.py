"""Validation takes longer for a sample than training, and which lines account for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr.performance.analysis.findings.rule import Silence, seconds_evidence
from ocr.performance.baseline import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr.performance.analysis.measured import Measured
    from ocr.performance.baseline import Phase, Ratio, WaterfallStep

RULE = "validation-slower"
HIGH_RATIO = 2.0
LOW_RATIO = 1.0
NAMED_CAUSES = 3


def validation_slower(measured: Measured) -> Iterator[Finding | Silence]:
    """Find a validation sample that costs more than a training sample (interval above 1).

    A forward pass alone is a part of a training step, so a ratio above 1 needs a cause; above 2
    (the limit that the project's first users set themselves) it is high. The causes are the
    waterfall's largest additions. Without them validation would cost a sample what training does.
    """
    compared = measured.train_vs_validation
    validation = measured.phase("validation")
    if compared is None or compared.sample_ratio is None or validation is None:
        yield Silence(RULE, "no times a sample of both training and validation")
        return
    ratio = compared.sample_ratio
    if (ratio.low if ratio.low is not None else ratio.value) <= LOW_RATIO:
        return
    causes = [step for step in compared.waterfall_s_per_sample if step.delta_s > 0]
    yield _finding(ratio, causes[:NAMED_CAUSES], validation)


def _finding(ratio: Ratio, causes: list[WaterfallStep], validation: Phase) -> Finding:
    saving_s = None
    if validation.total_s is not None:
        saving_s = validation.total_s * (1 - 1 / ratio.value)
    named = ", ".join(step.name for step in causes)
    return Finding(
        id=RULE,
        severity="high" if ratio.value >= HIGH_RATIO else "medium",
        title="A validation sample takes longer than a training sample"
        + (f", most of all for {named}" if named else ""),
        evidence=[
            Evidence(metric="train_vs_validation.sample_ratio", value=ratio.value, unit="ratio"),
            *(
                seconds_evidence(
                    f"train_vs_validation.waterfall_s_per_sample.{step.name}", step.delta_s
                )
                for step in causes
            ),
        ],
        estimated_saving_s=saving_s,
        saving_basis="validation at training's time a sample",
        advice=(
            f"Look at the waterfall: {named} add the most time to a validation sample."
            if named
            else "Record a run with PerformanceProfilerCallback to see which lines differ."
        ),
    )
