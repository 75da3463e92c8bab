from __future__ import annotations

import numpy as np

from ocr_baseline.analysis.phases.stage_times import StageTimes
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import stage, table


def test_the_first_three_batches_and_each_epochs_first_are_not_steady() -> None:
    times = StageTimes(stage(Stage.TRAIN, table(12, {"forward": 0.1}, batches_a_pass=6)))
    assert np.flatnonzero(~times.is_steady).tolist() == [0, 1, 2, 6]


def test_a_second_loader_in_the_same_epoch_does_not_begin_a_pass() -> None:
    times = StageTimes(
        stage(Stage.VALIDATION, table(6, {"forward": 0.1}, dataloader_idx=[0, 0, 0, 1, 1, 1]))
    )
    assert list(times.passes()) == [slice(0, 6)]


def test_a_second_validation_within_an_epoch_begins_a_pass() -> None:
    rows = table(6, {"forward": 0.1})
    rows.batch_idx[3:] = [0, 1, 2]
    times = StageTimes(stage(Stage.VALIDATION, rows, tails_s=[{}, {}]))
    assert list(times.passes()) == [slice(0, 3), slice(3, 6)]


def test_loaders_that_are_read_one_after_another_in_an_epoch_are_one_pass() -> None:
    rows = table(12, {"forward": 0.1}, batches_a_pass=6)
    rows.batch_idx[:] = [0, 1, 2] * 4
    times = StageTimes(stage(Stage.VALIDATION, rows))
    assert list(times.passes()) == [slice(0, 6), slice(6, 12)]


def test_batches_after_the_last_finished_epoch_are_a_pass_of_their_own() -> None:
    rows = table(8, {"forward": 0.1}, batches_a_pass=3)
    times = StageTimes(stage(Stage.TRAIN, rows, tails_s=[{}]))
    assert list(times.passes()) == [slice(0, 2), slice(2, 3), slice(3, 6), slice(6, 8)]


def test_a_resumed_epoch_begins_a_pass_whatever_its_first_batch_is() -> None:
    rows = table(6, {"forward": 0.1})
    rows.epoch[3:] = 1
    times = StageTimes(stage(Stage.TRAIN, rows))
    assert list(times.passes()) == [slice(0, 3), slice(3, 6)]


def test_totals_are_those_of_batches_and_tails() -> None:
    times = StageTimes(
        stage(
            Stage.TRAIN,
            table(4, {"forward": 0.25}, batches_a_pass=2),
            tails_s=[{"checkpoint": 1.0}, {"checkpoint": 0.5, "forward": 0.25}],
            events=7,
        )
    )
    assert times.lines_s == {"checkpoint": 1.5, "forward": 1.25}
    assert (times.total_s, times.tail_s, times.events) == (2.75, 1.75, 14)


def test_samples_are_unknown_when_one_batch_does_not_tell_its_size() -> None:
    known = StageTimes(stage(Stage.TRAIN, table(3, {"forward": 0.1}, samples=[4, 4, 2])))
    unknown = StageTimes(stage(Stage.TRAIN, table(3, {"forward": 0.1}, samples=[4, np.nan, 2])))
    assert (known.samples, unknown.samples) == (10, None)
