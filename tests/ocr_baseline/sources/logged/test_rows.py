"""Rows of logged metrics turned to epochs, memory and what is missing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ocr_baseline.model.run import ReportedEpoch, StageRecord
from ocr_baseline.sources.logged.rows import MetricReading, read_rows
from ocr_baseline.vocabulary import Stage
from tests.property_sizes import examples

VAL = "performance/val_"
GIB = 2**30


def _only(reading: MetricReading) -> StageRecord:
    (record,) = reading.stages
    return record


def _times(record: StageRecord) -> list[tuple[int | None, float | None]]:
    return [(epoch.epoch, epoch.epoch_time_s) for epoch in record.reported]


def _failed(reading: MetricReading) -> dict[str, str | None]:
    return {entry.metric: entry.detail for entry in reading.missing if entry.reason == "failed"}


def _uncollected(reading: MetricReading) -> set[str]:
    return {entry.metric for entry in reading.missing if entry.reason == "not_collected"}


def test_no_rows_say_nothing_and_no_zero() -> None:
    reading = read_rows([])

    assert reading.stages == ()
    assert reading.memory is None
    assert {"phases.train", "phases.validation"} <= _uncollected(reading)


def test_keys_of_an_epoch_come_together_from_several_rows() -> None:
    rows: list[dict[str, object]] = [
        {f"{VAL}epoch_time": 3, "epoch": 0, "step": 7},
        {"loss": 1.0, "epoch": 0, "step": 7},
        {f"{VAL}batch_mean": 0.5, f"{VAL}num_batches": 6, "step": 8},
    ]

    assert _only(read_rows(rows)).reported == (
        ReportedEpoch(epoch=0, step=8, epoch_time_s=3.0, num_batches=6, batch_mean_s=0.5),
    )


def test_a_new_epoch_begins_when_the_logged_epoch_changes() -> None:
    rows = [{f"{VAL}epoch_time": 3, "epoch": 0}, {f"{VAL}batch_mean": 1, "epoch": 1}]

    assert _times(_only(read_rows(rows))) == [(0, 3.0), (1, None)]


def test_without_epochs_a_new_one_begins_when_a_key_comes_again() -> None:
    rows = [{f"{VAL}epoch_time": 3}, {f"{VAL}batch_mean": 1}, {f"{VAL}epoch_time": 4}]

    assert _times(_only(read_rows(rows))) == [(None, 3.0), (None, 4.0)]


def test_several_validations_in_one_epoch_stay_apart() -> None:
    rows = [
        {f"{VAL}epoch_time": 3, "epoch": 0, "step": 5},
        {f"{VAL}epoch_time": 4, "epoch": 0, "step": 10},
    ]

    assert _times(_only(read_rows(rows))) == [(0, 3.0), (0, 4.0)]


def test_a_row_that_was_written_twice_counts_once() -> None:
    row = {f"{VAL}epoch_time": 3, "epoch": 0, "step": 5}

    assert _times(_only(read_rows([row, row]))) == [(0, 3.0)]


def test_a_test_stage_is_never_read_as_validation() -> None:
    reading = read_rows([{"performance/test_epoch_time": 16.29, "performance/test_batch_p95": 0.6}])

    assert _only(reading).stage is Stage.TEST
    assert "phases.validation" in _uncollected(reading)


def test_stages_come_in_the_order_of_a_report() -> None:
    rows = [{f"performance/{stage}_epoch_time": 1} for stage in ("test", "val", "train")]

    stages = [record.stage for record in read_rows(rows).stages]

    assert stages == [Stage.TRAIN, Stage.VALIDATION, Stage.TEST]


def test_each_dataloader_is_a_record_of_its_own() -> None:
    rows = [{f"{VAL}batch_mean/dataloader_idx_{idx}": idx + 1, "epoch": 0} for idx in (1, 0)]

    records = read_rows(rows).stages

    assert [record.dataloader_idx for record in records] == [0, 1]
    assert [record.reported[0].batch_mean_s for record in records] == [1.0, 2.0]


def test_the_epochs_fork_of_a_key_is_believed_and_not_its_steps() -> None:
    rows = [
        {f"{VAL}batch_mean_step": 9, "epoch": 0},
        {f"{VAL}batch_mean_epoch": 1, "epoch": 0},
        {f"{VAL}batch_mean_step": 8, "epoch": 0},
    ]

    assert [epoch.batch_mean_s for epoch in _only(read_rows(rows)).reported] == [1.0]


def test_where_only_steps_were_logged_the_last_of_an_epoch_stands() -> None:
    rows = [{f"{VAL}batch_mean_step": value, "epoch": 0} for value in (9, 8, 7)]

    assert [epoch.batch_mean_s for epoch in _only(read_rows(rows)).reported] == [7.0]


def test_a_loggers_prefix_is_seen_through_with_its_epoch() -> None:
    row = {"exp-performance/val_epoch_time": 2, "exp-epoch": 4, "trainer/global_step": 40}

    assert _only(read_rows([row])).reported[0] == ReportedEpoch(epoch=4, step=40, epoch_time_s=2.0)


def test_of_two_prefixes_one_is_read_and_the_other_is_told() -> None:
    rows = [{"a-performance/val_epoch_time": 2}, {f"{VAL}epoch_time": 3}]

    reading = read_rows(rows)

    assert _times(_only(reading)) == [(None, 3.0)]
    assert "'a'" in reading.warnings[0]


def test_nested_values_are_read() -> None:
    rows: list[dict[str, object]] = [
        {"performance": {"val_epoch_time": 2}},
        {f"{VAL}batch_mean": {"mean": 0.5}},
    ]

    epoch = _only(read_rows(rows)).reported[0]

    assert (epoch.epoch_time_s, epoch.batch_mean_s) == (2.0, 0.5)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (float("nan"), "NaN"),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        (-1.0, "a negative number"),
        ({"_type": "image-file"}, "a media object (image-file)"),
    ],
)
def test_an_unusable_value_is_left_out_and_told(value: object, told: str) -> None:
    reading = read_rows([{f"{VAL}epoch_time": value}, {f"{VAL}epoch_time": 2}])

    assert _times(_only(reading)) == [(None, None), (None, 2.0)]
    assert _failed(reading) == {
        "phases.validation.total_s": f"{VAL}epoch_time was logged as {told} in 1 of 2 epochs"
    }


def test_a_count_that_is_not_whole_is_left_out_and_told() -> None:
    reading = read_rows([{f"{VAL}num_batches": 33.5}])

    assert _only(reading).reported[0].num_batches is None
    assert "phases.validation.batches" in _failed(reading)


def test_whole_counts_logged_as_floats_are_counts() -> None:
    assert _only(read_rows([{f"{VAL}num_batches": 34.0}])).reported[0].num_batches == 34


def test_zero_is_a_measurement() -> None:
    assert _times(_only(read_rows([{f"{VAL}epoch_time": 0}]))) == [(None, 0.0)]


def test_an_absent_key_is_missing_with_its_reason_and_never_zero() -> None:
    reading = read_rows([{f"{VAL}epoch_time": 3, f"{VAL}batch_mean": None}])

    assert _only(reading).reported[0].batch_mean_s is None
    assert "phases.validation.batch_time_s.mean" in _uncollected(reading)
    assert "phases.validation.total_s" not in _uncollected(reading)


def test_gigabytes_are_gib_and_the_highest_is_told_to_be_a_lower_bound() -> None:
    rows: list[dict[str, Any]] = [
        {"performance/gpu_memory_gb": 1.5, "performance/cpu_memory_percent": 40, "_runtime": 5},
        {"performance/val_gpu_memory_gb": 2.0, "performance/val_gpu_memory_reserved_gb": 3},
    ]

    reading = read_rows(rows)

    assert reading.memory is not None
    assert reading.memory.accelerator_allocated_peak_bytes == 2.0 * GIB
    assert reading.memory.accelerator_reserved_peak_bytes == 3.0 * GIB
    assert reading.memory.system_memory_percent.tolist() == [40.0]
    assert reading.memory.at_s.tolist() == [5.0]
    assert any("lower bound" in warning for warning in reading.warnings)


def test_memory_that_was_not_logged_is_missing() -> None:
    reading = read_rows([{"performance/cpu_memory_percent": 40}])

    assert reading.memory is not None
    assert reading.memory.accelerator_allocated_peak_bytes is None
    assert "memory.accelerator.allocated_peak_bytes" in _uncollected(reading)


def test_the_summary_completes_the_last_epoch_and_overrides_no_row() -> None:
    rows = [{f"{VAL}epoch_time": 3, "epoch": 0}, {f"{VAL}epoch_time": 4, "epoch": 1}]
    summary = {f"{VAL}epoch_time": 99, f"{VAL}batch_mean": {"mean": 0.5}, "epoch": 7}

    reading = read_rows(rows, summary=summary)

    assert _times(_only(reading)) == [(0, 3.0), (1, 4.0)]
    assert _only(reading).reported[1].batch_mean_s == 0.5
    assert len(reading.warnings) == 2
    assert not any("epoch_time" in warning for warning in reading.warnings)


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(allow_nan=True),
    st.text(max_size=3),
    st.dictionaries(st.sampled_from(["mean", "last", "_type"]), st.integers(), max_size=2),
)
_KEYS = st.sampled_from(
    [
        f"performance/{stage}_{name}"
        for stage in ("train", "val", "test")
        for name in ("epoch_time", "num_batches", "batch_mean", "gpu_memory_gb")
    ]
    + ["epoch", "step", "_runtime", "performance"]
)


@settings(
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # on a machine that others use, all is slow
)
@given(st.lists(st.dictionaries(_KEYS, _VALUES, max_size=4), max_size=8))
def test_whatever_was_logged_no_reading_fails_or_holds_a_non_finite_or_negative_number(
    rows: list[dict[str, object]],
) -> None:
    reading = read_rows(rows)

    for record in reading.stages:
        for epoch in record.reported:
            for value in (epoch.epoch_time_s, epoch.batch_mean_s, epoch.num_batches):
                assert value is None or 0 <= value < float("inf")
