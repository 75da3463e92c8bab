"""Validation takes longer for a sample than training, and which lines account for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.rule import Silence, seconds_evidence
from ocr_baseline.model.document import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Phase, Ratio, WaterfallStep

RULE = "validation-slower"
HIGH_RATIO = 2.0
EQUAL = 1.0
EXPLAINED = 0.8
NAMED_CAUSES = 3


def validation_slower(measured: Measured) -> Iterator[Finding | Silence]:
    """Find a validation sample that costs more than a training sample (interval above 1).

    A forward pass alone is a part of a training step, so a ratio above 1 needs a cause; at 2 (the
    limit that the project's first users set themselves) it is high. The causes are the waterfall's
    largest additions, as many as make up 80% of them (TraceML's limit for naming a cause) and at
    most three. A recorded run without an interval (fewer than four steady batches of one of the
    stages) is not judged; logged statistics have none and are judged by the ratio itself.
    """
    compared = measured.train_vs_validation
    validation = measured.phase("validation")
    if compared is None or validation is None:
        return
    if compared.sample_ratio is None:
        yield Silence(RULE, "no time a sample of both training and validation")
        return
    ratio = compared.sample_ratio
    if ratio.value <= EQUAL:
        return
    if ratio.low is None and measured.times:
        yield Silence(RULE, "too few steady batches for an interval of the ratio a sample")
        return
    if (ratio.value if ratio.low is None else ratio.low) > EQUAL:
        yield _finding(ratio, _causes(compared.waterfall_s_per_sample), validation)


def _causes(steps: list[WaterfallStep]) -> list[WaterfallStep]:
    additions = sorted((s for s in steps if s.delta_s > 0), key=lambda step: -step.delta_s)
    wanted_s = EXPLAINED * sum(step.delta_s for step in additions)
    causes: list[WaterfallStep] = []
    for step in additions[:NAMED_CAUSES]:
        if sum(cause.delta_s for cause in causes) >= wanted_s:
            break
        causes.append(step)
    return causes


def _finding(ratio: Ratio, causes: list[WaterfallStep], validation: Phase) -> Finding:
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
        estimated_saving_s=(
            None if validation.total_s is None else validation.total_s * (1 - 1 / ratio.value)
        ),
        saving_basis="validation at training's time a sample",
        advice=(
            f"Look at the waterfall: {named} add{'' if len(causes) > 1 else 's'} the most time to "
            "a validation sample."
            if named
            else "Record a run with PerformanceProfilerCallback to see which lines differ."
        ),
    )
