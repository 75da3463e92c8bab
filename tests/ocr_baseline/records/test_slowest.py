from __future__ import annotations

from typing import Any

import pytest

from ocr_baseline.model.slowest import SlowBatchRecord, SlowSampleRecord
from ocr_baseline.records.slowest import RecordedSlowest
from ocr_baseline.vocabulary import Stage

SECOND = 10**9


def record(**changed: Any) -> dict[str, Any]:
    return {
        "type": "slowest",
        "stage": "train",
        "worker": 0,
        "pid": 9,
        "batch_ns": [3 * SECOND, SECOND],
        "batch_start_ns": [5 * SECOND, 0],
        "batch_indices": [[7, 8], None],
        "sample": [7, 8],
        "sample_ns": [2 * SECOND, SECOND],
        "sample_start_ns": [5 * SECOND, 7 * SECOND],
        "sample_file": ["cats/7.png", None],
        "samples": 4,
        "samples_ns": 4 * SECOND,
    } | changed


def test_the_last_record_of_each_worker_counts_and_workers_are_ranked_together() -> None:
    taken = RecordedSlowest()
    taken.take(record(samples=1))
    taken.take(record())
    taken.take(record(worker=1, pid=10, batch_ns=[2 * SECOND, 1], sample_ns=[SECOND, 1]))
    [found] = taken.records()

    assert found.stage is Stage.TRAIN
    assert found.batches[:2] == (
        SlowBatchRecord(start_s=5.0, took_s=3.0, worker=0, pid=9, indices=(7, 8)),
        SlowBatchRecord(start_s=5.0, took_s=2.0, worker=1, pid=10, indices=(7, 8)),
    )
    assert found.batches[2].indices is None
    assert found.samples == (
        SlowSampleRecord(index=7, start_s=5.0, took_s=2.0, file="cats/7.png"),
        SlowSampleRecord(index=8, start_s=7.0, took_s=1.0),
    )
    assert (found.samples_timed, found.samples_s) == (8, 8.0)


def test_of_many_workers_twenty_are_kept() -> None:
    taken = RecordedSlowest()
    for worker in range(30):
        taken.take(record(worker=worker, sample=[2 * worker, 2 * worker + 1]))
    [found] = taken.records()
    assert (len(found.batches), len(found.samples)) == (20, 20)


@pytest.mark.parametrize(
    "changed",
    [
        {"stage": "cooking"},
        {"worker": -1},
        {"pid": "9"},
        {"batch_ns": [1]},
        {"batch_ns": [-1, 1]},
        {"batch_indices": None},
        {"batch_indices": [[7, "8"], None]},
        {"batch_indices": [[-7], None]},
        {"sample": [7]},
        {"sample": [7, -8]},
        {"sample_start_ns": 5},
        {"sample_file": "ab"},
        {"sample_file": [1, 2]},
        {"samples": None},
        {"samples_ns": -1},
        {
            "batch_ns": [1] * 21,
            "batch_start_ns": [1] * 21,
            "batch_indices": [None] * 21,
        },
    ],
    ids=str,
)
def test_a_record_of_the_wrong_kind_is_refused_whole(changed: dict[str, Any]) -> None:
    taken = RecordedSlowest()
    with pytest.raises((ValueError, TypeError)):
        taken.take(record(**changed))
    assert taken.records() == ()
