from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.document import TrainVsValidation
from ocr_baseline.model.run import ReportedEpoch, Run, RunInfo, StageRecord
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import run, stage, table


def compared(measured_run: Run) -> TrainVsValidation:
    found = analyze(measured_run).train_vs_validation
    assert found is not None
    return found


def two_stages() -> Run:
    train = table(12, {"forward": 0.25, "backward": 0.5}, samples=4, batches_a_pass=6)
    validation = table(8, {"forward": 0.25, "metrics": 1.0}, samples=2, batches_a_pass=4)
    return run(
        stage(Stage.TRAIN, train, tails_s=[{"checkpoint": 1.5}, {"checkpoint": 1.5}]),
        stage(Stage.VALIDATION, validation, tails_s=[{"metrics": 3.0}, {"metrics": 3.0}]),
    )


def test_the_three_ratios_are_per_steady_batch_per_sample_and_per_epoch() -> None:
    found = compared(two_stages())
    assert found.batch_ratio is not None
    assert found.batch_ratio.value == pytest.approx(1.25 / 0.75)
    assert found.sample_ratio is not None
    assert found.sample_ratio.value == pytest.approx((16 / 16) / (12 / 48))
    assert found.epoch_ratio is not None
    assert found.epoch_ratio.value == pytest.approx(8 / 6)


def test_the_waterfall_splits_the_difference_a_sample_by_line() -> None:
    found = compared(two_stages())
    steps = {step.name: step.delta_s for step in found.waterfall_s_per_sample}
    assert steps == pytest.approx(
        {
            "metrics": 14 / 16,
            "backward": -6 / 48,
            "forward": 2 / 16 - 3 / 48,
            "checkpoint": -3 / 48,
        }
    )
    assert sum(steps.values()) == pytest.approx(16 / 16 - 12 / 48)


times_s = st.lists(st.floats(0.0625, 10, width=32), min_size=2, max_size=12)


@given(times_s, times_s, st.floats(0, 5))
def test_the_waterfall_sums_to_the_difference_of_the_sample_times(
    train_s: list[float], validation_s: list[float], tail_s: float
) -> None:
    document = analyze(
        run(
            stage(Stage.TRAIN, table(len(train_s), {"forward": train_s, "backward": 0.5})),
            stage(
                Stage.VALIDATION,
                table(len(validation_s), {"forward": validation_s, "op:x": 0.25}, samples=3),
                tails_s=[{"checkpoint": tail_s}],
            ),
        )
    )
    train, validation = document.phase("train"), document.phase("validation")
    assert train is not None
    assert validation is not None
    assert document.train_vs_validation is not None
    steps = document.train_vs_validation.waterfall_s_per_sample
    difference = (validation.sample_time_s or 0) - (train.sample_time_s or 0)
    assert sum(step.delta_s for step in steps) == pytest.approx(difference, rel=1e-5, abs=1e-6)


def test_the_interval_of_a_ratio_widens_with_the_spread_of_the_batches() -> None:
    rng = np.random.default_rng(3)
    widths = []
    for spread in (0.01, 0.2):
        train = table(60, {"forward": 1 + spread * rng.uniform(-1, 1, 60)})
        validation = table(60, {"forward": 2 + spread * rng.uniform(-1, 1, 60)})
        found = compared(run(stage(Stage.TRAIN, train), stage(Stage.VALIDATION, validation)))
        assert found.sample_ratio is not None
        assert found.sample_ratio.low is not None
        assert found.sample_ratio.high is not None
        assert found.sample_ratio.low < 2 < found.sample_ratio.high
        widths.append(found.sample_ratio.high - found.sample_ratio.low)
    assert widths[1] > 5 * widths[0]


def test_batches_of_unknown_size_leave_the_batch_and_epoch_ratios() -> None:
    found = compared(
        run(
            stage(Stage.TRAIN, table(8, {"forward": 1.0}, samples=np.nan)),
            stage(Stage.VALIDATION, table(8, {"forward": 2.0}, samples=np.nan)),
        )
    )
    assert found.sample_ratio is None
    assert found.waterfall_s_per_sample == []
    assert found.batch_ratio is not None
    assert found.batch_ratio.value == 2.0


def test_a_run_without_validation_compares_nothing_and_says_so() -> None:
    document = analyze(run(stage(Stage.TRAIN, table(8, {"forward": 1.0}))))
    assert document.train_vs_validation is None
    assert "train_vs_validation" in {entry.metric for entry in document.missing}


def test_logged_statistics_give_plain_ratios() -> None:
    def logged(which: Stage, mean_s: float) -> StageRecord:
        epoch = ReportedEpoch(
            epoch_time_s=mean_s * 10, num_batches=10, num_samples=20.0, batch_mean_s=mean_s
        )
        return StageRecord(stage=which, reported=(epoch,))

    found = compared(
        Run(
            info=RunInfo(source="csv"),
            stages=(logged(Stage.TRAIN, 0.5), logged(Stage.VALIDATION, 1.25)),
        )
    )
    ratios = (found.batch_ratio, found.sample_ratio, found.epoch_ratio)
    assert [one.value for one in ratios if one is not None] == [2.5, 2.5, 2.5]
    assert all(one is not None and one.low is None for one in ratios)
    assert found.waterfall_s_per_sample == []
