"""Validation takes longer per sample than training, and which lines account for that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ocr_baseline.analysis.findings.catalogue import VALIDATION_SLOWER
from ocr_baseline.analysis.findings.named_cause import (
    begin_with,
    cause_evidence,
    cause_of,
    with_cause,
)
from ocr_baseline.analysis.findings.rule import Silence, quoted, seconds_evidence, title
from ocr_baseline.analysis.measured import line_of
from ocr_baseline.analysis.workers import WAIT_LINES
from ocr_baseline.model.document import Evidence, Finding
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import NamedCause, Phase, Ratio, WaterfallStep


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
        yield _finding(measured, ratio, _causes(compared.waterfall_s_per_sample), validation)


def _causes(steps: list[WaterfallStep]) -> list[WaterfallStep]:
    additions = sorted((s for s in steps if s.delta_s > 0), key=lambda step: -step.delta_s)
    wanted_s = VALIDATION_SLOWER["explained"] * sum(step.delta_s for step in additions)
    causes: list[WaterfallStep] = []
    for step in additions[: int(VALIDATION_SLOWER["causes"])]:
        if sum(cause.delta_s for cause in causes) >= wanted_s:
            break
        causes.append(step)
    return causes


def _finding(
    measured: Measured, ratio: Ratio, causes: list[WaterfallStep], validation: Phase
) -> Finding:
    named = ", ".join(quoted(step.name) for step in causes)
    sizes = _smaller_batches(measured, validation)
    words = title("a validation sample takes longer than a training sample", by=named or None)
    cause = cause_of(measured, validation, causes[0].name) if causes else None
    if sizes is not None:
        own, training = sizes
        words += f"; validation runs in batches of {own:.3g}, training in batches of {training:.3g}"
    return Finding(
        id=VALIDATION_SLOWER.id,
        severity=VALIDATION_SLOWER.severity(ratio.value),
        title=with_cause(words, None if sizes else cause),
        evidence=[
            Evidence(metric="train_vs_validation.sample_ratio", value=ratio.value, unit="ratio"),
            *(
                seconds_evidence(
                    f"train_vs_validation.waterfall_s_per_sample.{step.name}", step.delta_s
                )
                for step in causes
            ),
            *_size_evidence(sizes),
            *cause_evidence(cause),
        ],
        **_saving(measured, ratio, validation, sizes),
        advice=_advice(measured, named, len(causes), sizes, cause),
        lines=[f"validation.{step.name}" for step in causes[:1]],
        cause=None if sizes else cause,
    )


def _saving(
    measured: Measured, ratio: Ratio, validation: Phase, sizes: tuple[float, float] | None
) -> dict[str, Any]:
    """Return the finding's saving: validation at training's time per sample.

    In batches of training's size validation would take less than that, having no backward pass and
    no optimizer; at most it saves as if a batch took as long whatever its size. For its samples it
    is likely to wait as long in batches of any size.
    """
    if validation.total_s is None:
        return {"saving_basis": "validation at training's time per sample"}
    whole_s = validation.total_s * (1 - 1 / ratio.value)
    forward_s = _forward_sample_s(measured)
    if sizes is None or forward_s is None or validation.samples is None:
        basis = "validation at training's time per sample"
        return {"estimated_saving_s": whole_s, "saving_basis": basis}
    own, training = sizes
    most_s = validation.total_s * (1 - own / training)
    waits = (line_of(validation, name) for name in WAIT_LINES)
    wait_s = sum(line.total_s for line in waits if line is not None)
    likely_s = (validation.total_s - wait_s) * (1 - own / training)
    saved_s = validation.total_s - validation.samples * forward_s
    return {
        "estimated_saving_s": min(max(saved_s, whole_s), likely_s),
        "estimated_saving_low_s": min(whole_s, likely_s),
        "estimated_saving_high_s": most_s,
        "saving_basis": "validation at training's time per sample without backward pass and "
        "optimizer, waiting for data as long; at most as if a batch took as long whatever its size",
    }


def _forward_sample_s(measured: Measured) -> float | None:
    """Return what a training sample takes in the lines that validation has, too."""
    train = measured.phase("train")
    if train is None or not train.samples or train.total_s is None:
        return None
    lines = (line_of(train, name.value) for name in (Line.BACKWARD, Line.OPTIMIZER))
    return (train.total_s - sum(line.total_s for line in lines if line)) / train.samples


def _smaller_batches(measured: Measured, validation: Phase) -> tuple[float, float] | None:
    """Return samples per batch of validation and of training where those explain the difference.

    They do where validation's batches hold at most half as many samples, and a batch takes no
    longer than one of training: what a batch costs whatever its size then falls on fewer samples.
    """
    train, compared = measured.phase("train"), measured.train_vs_validation
    batches = None if compared is None else compared.batch_ratio
    own, training = _batch_size(validation), None if train is None else _batch_size(train)
    if own is None or training is None or batches is None:
        return None
    explains = own * VALIDATION_SLOWER["size"] <= training and batches.value <= 1
    return (own, training) if explains else None


def _batch_size(phase: Phase) -> float | None:
    return phase.samples / phase.batches if phase.samples and phase.batches else None


def _size_evidence(sizes: tuple[float, float] | None) -> list[Evidence]:
    if sizes is None:
        return []
    return [
        Evidence(metric=f"phases.{name}.samples_per_batch", value=size, unit="samples")
        for name, size in zip(("validation", "train"), sizes, strict=True)
    ]


def _advice(
    measured: Measured,
    named: str,
    causes: int,
    sizes: tuple[float, float] | None,
    cause: NamedCause | None,
) -> str:
    if not named:
        return "Record a run with PerformanceProfilerCallback to see which lines differ."
    advice = (
        f"Look at the waterfall: {named} add{'' if causes > 1 else 's'} the most time to "
        "a validation sample."
    )
    if sizes is not None:
        advice = f"Give the validation loader training's batch size. {advice}"
    return f"{begin_with(cause if sizes is None else None, advice)}{_worker_words(measured, named)}"


def _worker_words(measured: Measured, named: str) -> str:
    """Return how the loaders differ, where validation waits longer for its data."""
    if not any(line in named for line in WAIT_LINES):
        return ""
    count = {entry.phase: entry.count for entry in measured.workers}
    own, training = count.get("validation", 0), count.get("train", 0)
    if own >= training:
        return ""
    own_words = (
        f"{own} loader workers" if own > 1 else "one" if own else "no loader worker recorded"
    )
    return f" Validation has {own_words}, training {training}."
