"""Validation against training: the ratio in words, and the steps from one to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.story.parts import Versus
from ocr_baseline.reports.story.run_facts import quoted
from ocr_baseline.reports.text import formatting, wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.model.document import Baseline, Phase, Ratio, WaterfallStep

SMALL_STEP = 0.01


def versus(baseline: Baseline) -> Versus:
    """Return the comparison of validation with training, or why there is none."""
    train, validation = baseline.phase("train"), baseline.phase("validation")
    compared = baseline.train_vs_validation
    if compared is None or not (compared.sample_ratio or compared.batch_ratio):
        return Versus(sentence=_not_compared(train, validation))
    given = compared.waterfall_s_per_sample
    steps, small = _steps(given)
    train_s = None if train is None else train.sample_time_s
    validation_s = None if validation is None else validation.sample_time_s
    early = _too_early(train, validation)
    ratio, is_per_sample = compared.sample_ratio, True
    if ratio is None:
        ratio, is_per_sample = compared.batch_ratio, False
    assert ratio is not None  # noqa: S101 - one of the two is there, see above
    return Versus(
        sentence=early or _sentence(ratio, is_per_sample, train_s, validation_s, given),
        ratio=None if early else ratio,
        per=None if early else "sample" if is_per_sample else "batch",
        train_s=train_s,
        validation_s=validation_s,
        steps=tuple(steps),
        small_steps=tuple(step.name for step in small),
    )


def covers_one(ratio: Ratio) -> bool:
    """Whether the interval of a ratio leaves open which of the two is slower."""
    return ratio.low is not None and ratio.high is not None and ratio.low <= 1 <= ratio.high


def interval_text(ratio: Ratio) -> str | None:
    """Return `0.53 to 0.63`, None where the ratio has no interval."""
    if ratio.low is None or ratio.high is None:
        return None
    return f"{formatting.times(ratio.low)} to {formatting.times(ratio.high)}"


def _steps(
    given: Sequence[WaterfallStep],
) -> tuple[list[WaterfallStep], list[WaterfallStep]]:
    """Return the steps that are large enough to show, the largest change first, and the others."""
    steps = sorted((step for step in given if step.delta_s), key=lambda step: -abs(step.delta_s))
    least_s = abs(steps[0].delta_s) * SMALL_STEP if steps else 0.0
    return (
        [step for step in steps if abs(step.delta_s) >= least_s],
        [step for step in steps if abs(step.delta_s) < least_s],
    )


def _not_compared(train: Phase | None, validation: Phase | None) -> str:
    absent = [
        wording.stage_adjective(name).lower()
        for name, phase in (("train", train), ("validation", validation))
        if not wording.has_measurements(phase)
    ]
    if not absent:
        return "Training and validation can't be compared: their batches' times weren't measured."
    verb = "was" if len(absent) == 1 else "were"
    return f"Training and validation can't be compared: {' and '.join(absent)} {verb} not measured."


def _too_early(train: Phase | None, validation: Phase | None) -> str | None:
    """Return that a recorded stage has no steady batch, without which a ratio says nothing."""
    short = [
        wording.stage_adjective(phase.name).lower()
        for phase in (train, validation)
        if phase is not None and phase.batch_time_scope == "all batches"
    ]
    if not short:
        return None
    return f"Training and validation don't compare yet: {' and '.join(short)} had no steady batch."


def _sentence(
    ratio: Ratio,
    is_per_sample: bool,
    train_s: float | None,
    validation_s: float | None,
    steps: Sequence[WaterfallStep],
) -> str:
    details = []
    if is_per_sample and train_s is not None and validation_s is not None:
        details.append(f"{formatting.duration(validation_s)} vs. {formatting.duration(train_s)}")
    interval = interval_text(ratio)
    if interval is not None:
        details.append(f"95% interval {interval}")
    within = f" ({'; '.join(details)})" if details else ""
    scope = "per sample" if is_per_sample else "per batch"
    rest = _main_difference(steps)
    if covers_one(ratio):
        rest = "; the interval includes 1, so this run doesn't show which is slower"
    value = formatting.times(ratio.value)
    return f"Validation takes {value} times as long {scope} as training{within}{rest}."


def _main_difference(steps: Sequence[WaterfallStep]) -> str:
    """Return the step that goes furthest in the direction of the whole difference."""
    difference_s = sum(step.delta_s for step in steps)
    if difference_s == 0:
        return ""
    leading = max(steps, key=lambda step: step.delta_s / difference_s)
    part = leading.delta_s / difference_s
    if part <= 1:
        return f"; {quoted(leading.name)} accounts for {formatting.share(part)} of the difference"
    signed = formatting.duration(leading.delta_s, signed=True)
    return f"; the largest difference in that direction is {quoted(leading.name)} ({signed})"
