from __future__ import annotations

import numpy as np
import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.run import OperationRecord
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import operation, run, stage, steady_run, table, worker


def test_an_operation_of_the_main_thread_was_waited_for_all_along() -> None:
    document = analyze(
        steady_run(
            {"forward": 0.75, "op:slow": 0.25}, batches=8, operations=(operation("slow", 2.0),)
        )
    )
    [found] = document.operations
    assert found.waited_s == 2.0
    assert found.share_of_phase == pytest.approx(0.25)


def test_an_operation_of_another_thread_has_no_known_wait() -> None:
    threaded = OperationRecord(
        name="beside", stage=Stage.TRAIN, process="main", calls=1, total_s=1.0, exclusive_s=1.0
    )
    [found] = analyze(steady_run({"forward": 0.5}, batches=8, operations=(threaded,))).operations
    assert (found.waited_s, found.share_of_phase) == (None, 0.25)


def test_an_operation_in_workers_is_a_share_of_the_time_that_they_worked() -> None:
    document = analyze(
        run(
            stage(Stage.TRAIN, table(1, {"forward": 10.0})),
            workers=(worker([0.0], [4.0], {"op:decode": [1.0], "fetch": [3.0]}),),
            operations=(operation("decode", 1.0, in_worker=True),),
        )
    )
    [found] = document.operations
    assert (found.share_of_phase, found.waited_s) == (0.25, 0.0)


def test_operations_come_heaviest_first_and_only_from_reported_stages() -> None:
    document = analyze(
        steady_run(
            {"forward": 0.5},
            batches=8,
            operations=(
                operation("light", 0.5),
                operation("heavy", 1.5),
                operation("sanity", 9.0, which=Stage.SANITY_CHECK),
            ),
        )
    )
    assert [found.name for found in document.operations] == ["heavy", "light"]


def test_call_times_are_described_where_they_were_kept() -> None:
    timed = OperationRecord(
        name="slow",
        stage=Stage.TRAIN,
        process="main",
        calls=3,
        total_s=0.6,
        exclusive_s=0.6,
        in_main_thread=True,
        call_time_s=np.asarray([0.1, 0.2, 0.3]),
    )
    [found] = analyze(steady_run({"forward": 0.5}, batches=8, operations=(timed,))).operations
    assert found.call_time_s is not None
    assert (found.call_time_s.count, found.call_time_s.median) == (3, 0.2)


def test_an_operation_of_a_stage_without_a_record_has_no_share() -> None:
    document = analyze(run(operations=(operation("lost", 1.0),)))
    [found] = document.operations
    assert (found.share_of_phase, found.waited_s) == (None, 1.0)
