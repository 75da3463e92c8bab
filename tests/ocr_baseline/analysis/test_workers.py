from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.run import OperationRecord, Run, WorkerRecord
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import (
    loaded_run,
    operation,
    run,
    stage,
    table,
    worker,
)


def one_wait(*workers: WorkerRecord, operations: tuple[OperationRecord, ...] = ()) -> Run:
    """A run of one batch that is waited for from 0 to 1 s, and worked on until 2 s."""
    return run(
        stage(Stage.TRAIN, table(1, {"data_wait": 1.0, "forward": 1.0})),
        workers=workers,
        operations=operations,
    )


def waited_s(measured_run: Run) -> dict[str, float | None]:
    return {found.name: found.waited_s for found in analyze(measured_run).operations}


DECODE = operation("decode", 0.5, in_worker=True)


def test_a_wait_for_one_worker_is_split_by_what_the_batch_was_made_of() -> None:
    made = worker([0.0], [1.0], {"op:decode": [0.25], "fetch": [0.75]})
    document = analyze(one_wait(made, operations=(DECODE,)))
    [workers] = document.workers
    assert (workers.busy_s, workers.unnamed_s, workers.waited_s) == (1.0, 0.75, 1.0)
    assert document.operations[0].waited_s == pytest.approx(0.25)


def test_a_wait_is_shared_by_the_workers_that_were_at_work_in_it() -> None:
    first = worker([0.0], [1.0], {"op:decode": [1.0]}, number=0)
    second = worker([0.0], [1.0], {"fetch": [1.0]}, number=1)
    document = analyze(one_wait(first, second, operations=(DECODE,)))
    [workers] = document.workers
    assert workers.busy_s == 2.0
    assert workers.waited_s == pytest.approx(1.0)
    assert document.operations[0].waited_s == pytest.approx(0.5)


def test_work_before_and_after_a_wait_was_not_waited_for() -> None:
    made = worker([-0.5, 1.25], [0.5, 1.75], {"op:decode": [1.0, 0.5]})
    assert waited_s(one_wait(made, operations=(DECODE,))) == {"decode": pytest.approx(0.5)}


def test_a_wait_in_which_no_worker_worked_is_nobodys() -> None:
    made = worker([1.25], [1.75], {"op:decode": [0.5]})
    document = analyze(one_wait(made, operations=(DECODE,)))
    assert document.workers[0].waited_s == 0.0
    assert document.operations[0].waited_s == 0.0


def test_idle_time_between_batches_is_not_work() -> None:
    made = worker([0.0], [1.0], {"op:decode": [1.0], "idle": [7.0]})
    [workers] = analyze(one_wait(made)).workers
    assert (workers.busy_s, workers.waited_s) == (1.0, 1.0)


def test_the_first_wait_of_an_epoch_counts_as_a_wait() -> None:
    document = analyze(
        run(
            stage(Stage.TRAIN, table(1, {"loader_startup": 1.0, "forward": 1.0})),
            workers=(worker([0.5], [1.0], {"op:decode": [0.5]}),),
            operations=(DECODE,),
        )
    )
    assert document.operations[0].waited_s == pytest.approx(0.5)


def test_workers_belong_to_their_own_stage_even_when_stages_interleave() -> None:
    train = worker([0.0], [1.0], {"op:decode": [1.0]}, which=Stage.TRAIN)
    validation = worker([0.0], [1.0], {"op:decode": [1.0]}, which=Stage.VALIDATION)
    document = analyze(
        run(
            stage(Stage.TRAIN, table(1, {"data_wait": 0.25, "forward": 1.0})),
            stage(Stage.VALIDATION, table(1, {"data_wait": 0.5, "forward": 1.0})),
            workers=(train, validation),
            operations=(
                operation("decode", 1.0, in_worker=True),
                operation("decode", 1.0, in_worker=True, which=Stage.VALIDATION),
            ),
        )
    )
    found = {one.phase: one.waited_s for one in document.operations}
    assert found == {"train": pytest.approx(0.25), "validation": pytest.approx(0.5)}


def test_processes_that_take_each_others_place_count_once_as_workers() -> None:
    document = analyze(
        run(
            stage(Stage.TRAIN, table(2, {"data_wait": 1.0, "forward": 1.0}, batches_a_pass=1)),
            workers=(
                worker([0.0], [1.0], {"fetch": [1.0]}, pid=1, asked_s=-0.5, ready_s=-0.25),
                worker([2.0], [3.0], {"fetch": [1.0]}, pid=2, asked_s=1.0, ready_s=1.75),
            ),
        )
    )
    [workers] = document.workers
    assert (workers.count, workers.processes, workers.batches) == (1, 2, 2)
    assert (workers.startup_mean_s, workers.startup_max_s) == (0.5, 0.75)


def test_a_worker_that_made_nothing_is_counted_and_waited_for_by_nobody() -> None:
    [workers] = analyze(one_wait(worker([], [], {}))).workers
    assert (workers.count, workers.batches, workers.busy_s, workers.waited_s) == (1, 0, 0.0, 0.0)
    assert workers.startup_mean_s is None


@given(
    st.lists(st.floats(0.01, 2.0), min_size=1, max_size=25),
    st.floats(0.0, 1.0),
    st.integers(1, 4),
    st.floats(0, 1),
)
def test_no_more_is_waited_for_than_was_waited_and_no_more_than_was_worked(
    making_s: list[float], main_s: float, workers: int, share: float
) -> None:
    document = analyze(
        loaded_run(making_s=making_s, main_s=main_s, workers=workers, operation_share=share)
    )
    train = document.phase("train")
    assert train is not None
    waits_s = sum(
        line.total_s for line in train.breakdown if line.name in {"data_wait", "loader_startup"}
    )
    [found] = document.workers
    assert found.waited_s <= min(waits_s, found.busy_s) * (1 + 1e-5) + 1e-6
    assert all((one.waited_s or 0) <= found.waited_s + 1e-9 for one in document.operations)


def test_receiving_is_told_of_batches_that_were_ready_when_they_were_asked_for() -> None:
    """All but the first are made half a second before the main thread asks for them."""
    rows = table(20, {"data_wait": [0.5, *[0.01] * 19], "forward": 1.0})
    asked_s = rows.start_s.tolist()
    ends_s = [0.4, *(asked - 0.5 for asked in asked_s[1:])]
    made = worker([end - 0.25 for end in ends_s], ends_s, {"fetch": [0.25] * 20})
    document = analyze(run(stage(Stage.TRAIN, rows), workers=(made,)))

    times = document.workers[0].receive_time_s
    assert times is not None
    assert times.count == 19
    assert times.median == pytest.approx(0.01)


def test_where_every_batch_is_waited_for_no_receiving_is_told() -> None:
    document = analyze(loaded_run(making_s=[1.0] * 20, main_s=0.25, workers=1))
    assert document.workers[0].receive_time_s is None
