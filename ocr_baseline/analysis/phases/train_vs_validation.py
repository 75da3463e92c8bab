"""Validation against training: three ratios, and the waterfall of the difference per sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.phases.distributions import MeanError, block_mean_error, ratio
from ocr_baseline.model.document import Phase, Ratio, TrainVsValidation, WaterfallStep

if TYPE_CHECKING:
    from ocr_baseline.analysis.phases.stage_times import StageTimes


def compare_recorded(
    train: StageTimes, validation: StageTimes, train_phase: Phase, validation_phase: Phase
) -> TrainVsValidation:
    """Compare two recorded stages.

    The batch ratio is that of steady means. The sample ratio divides everything that a stage took
    by its samples, so that epoch-end work counts; its interval comes from the steady batches. The
    waterfall splits the difference of those sample times by line and sums to it.
    """
    return TrainVsValidation(
        batch_ratio=_ratio_of_steady_means(train, validation),
        sample_ratio=_sample_ratio(train, validation),
        epoch_ratio=_plain_ratio(validation_phase.epoch_time_s, train_phase.epoch_time_s),
        waterfall_s_per_sample=_waterfall(train_phase, validation_phase),
    )


def compare_reported(train: Phase, validation: Phase) -> TrainVsValidation | None:
    """Compare two stages known by logged statistics only: no interval, no waterfall."""
    batch_ratio = None
    if train.batch_time_s and validation.batch_time_s:
        batch_ratio = _plain_ratio(validation.batch_time_s.mean, train.batch_time_s.mean)
    compared = TrainVsValidation(
        batch_ratio=batch_ratio,
        sample_ratio=_plain_ratio(validation.sample_time_s, train.sample_time_s),
        epoch_ratio=_plain_ratio(validation.epoch_time_s, train.epoch_time_s),
    )
    ratios = (compared.batch_ratio, compared.sample_ratio, compared.epoch_ratio)
    return None if all(one is None for one in ratios) else compared


def _plain_ratio(numerator: float | None, denominator: float | None) -> Ratio | None:
    if numerator is None or not denominator:
        return None
    return Ratio(value=numerator / denominator)


def _ratio_of_steady_means(train: StageTimes, validation: StageTimes) -> Ratio | None:
    if len(train.steady_s) == 0 or len(validation.steady_s) == 0 or not train.steady_s.mean():
        return None
    return ratio(
        float(validation.steady_s.mean()),
        float(train.steady_s.mean()),
        block_mean_error(validation.steady_s),
        block_mean_error(train.steady_s),
    )


def _sample_ratio(train: StageTimes, validation: StageTimes) -> Ratio | None:
    if not train.samples or not validation.samples or not train.total_s:
        return None
    return ratio(
        validation.total_s / validation.samples,
        train.total_s / train.samples,
        _sample_time_error(validation),
        _sample_time_error(train),
    )


def _sample_time_error(times: StageTimes) -> MeanError | None:
    """Scale the error of the batch mean to a sample; time outside batches adds no error."""
    error = block_mean_error(times.steady_s)
    if error is None or not times.samples:
        return None
    batches_per_sample = len(times.durations_s) / times.samples
    return error._replace(error=error.error * batches_per_sample)


def _waterfall(train: Phase, validation: Phase) -> list[WaterfallStep]:
    if not train.samples or not validation.samples:
        return []
    train_s = {line.name: line.total_s / train.samples for line in train.breakdown}
    validation_s = {line.name: line.total_s / validation.samples for line in validation.breakdown}
    steps = [
        WaterfallStep(name=name, delta_s=validation_s.get(name, 0.0) - train_s.get(name, 0.0))
        for name in dict.fromkeys([*validation_s, *train_s])
    ]
    return sorted(steps, key=lambda step: -abs(step.delta_s))
