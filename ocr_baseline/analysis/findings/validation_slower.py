"""Validation takes longer per sample than training, and which lines account for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import VALIDATION_SLOWER
from ocr_baseline.analysis.findings.rule import Silence, seconds_evidence, title
from ocr_baseline.model.document import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Phase, Ratio, WaterfallStep


def validation_slower(measured: Measured) -> Iterator[Finding | Silence]:
    """Find a validation sample that costs more than a training sample (interval above 1).

    A forward pass alone is a part of a training step, so a ratio above 1 needs a cause. The causes
    are the waterfall's largest additions, as many as make up most of them. A recorded run without
    an interval (fewer than four steady batches of one of the stages) is not judged; logged
    statistics have none and are judged by the ratio itself.
    """
    compared = measured.train_vs_validation
    validation = measured.phase("validation")
    if compared is None or validation is None:
        return
    if compared.sample_ratio is None:
        yield Silence(VALIDATION_SLOWER.id, "no time per sample of both training and validation")
        return
    ratio = compared.sample_ratio
    if ratio.value <= VALIDATION_SLOWER["equal"]:
        return
    if ratio.low is None and measured.times:
        yield Silence(
            VALIDATION_SLOWER.id, "too few steady batches for an interval of the ratio per sample"
        )
        return
    if (ratio.value if ratio.low is None else ratio.low) > VALIDATION_SLOWER["equal"]:
        yield _finding(ratio, _causes(compared.waterfall_s_per_sample), validation)


def _causes(steps: list[WaterfallStep]) -> list[WaterfallStep]:
    additions = sorted((s for s in steps if s.delta_s > 0), key=lambda step: -step.delta_s)
    wanted_s = VALIDATION_SLOWER["explained"] * sum(step.delta_s for step in additions)
    causes: list[WaterfallStep] = []
    for step in additions[: int(VALIDATION_SLOWER["causes"])]:
        if sum(cause.delta_s for cause in causes) >= wanted_s:
            break
        causes.append(step)
    return causes


def _finding(ratio: Ratio, causes: list[WaterfallStep], validation: Phase) -> Finding:
    named = ", ".join(step.name for step in causes)
    return Finding(
        id=VALIDATION_SLOWER.id,
        severity=VALIDATION_SLOWER.severity(ratio.value),
        title=title("a validation sample takes longer than a training sample", by=named or None),
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
        saving_basis="validation at training's time per sample",
        advice=(
            f"Look at the waterfall: {named} add{'' if len(causes) > 1 else 's'} the most time to "
            "a validation sample."
            if named
            else "Record a run with PerformanceProfilerCallback to see which lines differ."
        ),
    )
