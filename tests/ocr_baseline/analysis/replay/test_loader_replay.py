from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from ocr_baseline.analysis.phases.stage_times import StageTimes
from ocr_baseline.analysis.replay.loader_passes import (
    MAX_BATCHES,
    replay_of_main_thread,
    replay_of_workers,
)
from ocr_baseline.analysis.replay.loader_replay import LoaderReplay
from ocr_baseline.analysis.replay.loader_timeline import PREFETCH_FACTOR, LoaderPass, simulate
from ocr_baseline.analysis.replay.other_loader import (
    OtherLoader,
    replayed_with,
    saving_with_first_workers,
)
from ocr_baseline.model.run import Run, WorkerRecord
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import loaded_run, stage, table, worker


def simulated(
    main_s: ArrayLike,
    fetch_s: ArrayLike,
    ready_s: ArrayLike,
    receive_s: ArrayLike = 0.0,
    deliver_s: ArrayLike = 0.0,
    prefetch_factor: int = PREFETCH_FACTOR,
) -> float:
    fetch = np.asarray(fetch_s, dtype=np.float64)
    one = LoaderPass(
        main_s=np.broadcast_to(np.asarray(main_s, dtype=np.float64), fetch.shape),
        fetch_s=fetch,
        deliver_s=np.broadcast_to(np.asarray(deliver_s, dtype=np.float64), fetch.shape),
        receive_s=np.broadcast_to(np.asarray(receive_s, dtype=np.float64), fetch.shape),
        lines_s={},
        ready_s=np.asarray(ready_s, dtype=np.float64),
        prefetch_factor=prefetch_factor,
    )
    return simulate(one).wait_s


def replay(measured_run: Run) -> LoaderReplay:
    times = StageTimes(measured_run.stages[0])
    found = replay_of_workers(times, measured_run.workers)
    assert found is not None
    return found


def test_without_workers_every_batch_is_waited_for_in_full() -> None:
    assert simulated(1.0, [3.0, 3.0, 3.0], []) == 9.0


def test_one_worker_that_is_slower_makes_the_main_thread_wait_for_the_difference() -> None:
    # batches are made at 3, 6, 9; the main thread asks at 0, 4, 7
    assert simulated(1.0, [3.0, 3.0, 3.0], [0.0]) == 3.0 + 2.0 + 2.0


def test_one_worker_that_is_faster_is_waited_for_once() -> None:
    assert simulated(5.0, [3.0, 3.0, 3.0], [0.0]) == 3.0


def test_two_workers_make_batches_side_by_side_and_hand_them_over_in_order() -> None:
    # made at 4 (worker 0), 1 (worker 1), 5 (worker 0); handed over at 4, 5, 6
    assert simulated(1.0, [4.0, 1.0, 1.0], [0.0, 0.0]) == 4.0


def test_a_worker_makes_no_more_than_two_batches_ahead() -> None:
    # two are made at 1 and 2, the third is asked for when the first is handed over, at 1: made at
    # 3; the fourth when the second is, at 11. Were it not so, the last would be there at once.
    quick_then_slow = [1.0, 1.0, 1.0, 25.0]
    assert simulated(10.0, quick_then_slow, [0.0]) == 1.0 + (11.0 + 25.0 - 31.0)
    assert simulated(10.0, quick_then_slow, [0.0], prefetch_factor=3) == 1.0


def test_a_worker_that_starts_late_delays_its_first_batch() -> None:
    assert simulated(1.0, [1.0, 1.0], [5.0]) == 6.0
    assert simulated(1.0, [1.0, 1.0], [-5.0]) == 0.0


def test_receiving_a_batch_takes_its_time_however_early_it_was_made() -> None:
    assert simulated(5.0, [1.0, 1.0, 1.0], [-9.0], receive_s=0.25) == 0.75


def test_a_batch_is_delivered_beside_the_making_of_the_next() -> None:
    # made at 3, 6, 9 and there 2 s later; asked for at 0, 6, 9
    assert simulated(1.0, [3.0, 3.0, 3.0], [0.0], deliver_s=2.0) == 5.0 + 2.0 + 2.0
    # with as long a use as a making and a delivery together, only the first is waited for
    assert simulated(5.0, [3.0, 3.0, 3.0], [0.0], deliver_s=2.0) == 5.0


def test_a_worker_delivers_one_batch_after_the_other() -> None:
    # made at 1, 2, 4 (asked for as the first is there, at 3); delivered at 4, 7, 10
    assert simulated(0.0, [1.0, 1.0, 1.0], [0.0], deliver_s=3.0) == 10.0


times_s = st.lists(st.floats(0.01, 3.0), min_size=1, max_size=30)


@given(times_s, st.floats(0.0, 2.0), st.integers(1, 5), st.floats(0.0, 2.0))
def test_a_replay_as_measured_waits_as_long_as_was_measured(
    making_s: list[float], main_s: float, workers: int, delivering_s: float
) -> None:
    found = replay(
        loaded_run(making_s=making_s, main_s=main_s, workers=workers, delivering_s=delivering_s)
    )
    assert found.as_measured.wait_s == pytest.approx(found.wait_s, rel=1e-4, abs=1e-4)


@given(
    times_s,
    st.floats(0.0, 2.0),
    st.integers(1, 4),
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(1, 9),
)
def test_savings_are_never_negative_nor_more_than_the_wait(
    making_s: list[float], main_s: float, workers: int, share: float, removed: float, other: int
) -> None:
    found = replay(
        loaded_run(making_s=making_s, main_s=main_s, workers=workers, operation_share=share)
    )
    whole_s = found.saving_without_s("op:decode")
    part_s = found.saving_without_s("op:decode", removed)
    assert 0 <= part_s <= whole_s + 1e-6
    assert whole_s <= found.wait_s + 1e-6
    assert 0 <= found.saving_with_workers_s(other) <= found.wait_s + 1e-6


def test_an_operation_is_worth_only_what_was_waited_for() -> None:
    # one worker needs 3 s a batch, the main thread 2 s: 3 s, then 1 s for each of 9 batches
    found = replay(loaded_run(making_s=[3.0] * 10, main_s=2.0, workers=1, operation_share=0.5))
    assert found.wait_s == pytest.approx(12.0)
    # half the making is 1.5 s, less than the main thread needs: 1.5 s remain of the first wait
    assert found.saving_without_s("op:decode") == pytest.approx(10.5)
    # a quarter less is 2.25 s: 2.25 s, then 0.25 s for each of 9
    assert found.saving_without_s("op:decode", 0.5) == pytest.approx(12.0 - 2.25 - 9 * 0.25)
    assert found.saving_without_s("op:unknown") == 0.0


def test_an_operation_is_worth_as_much_where_its_batches_take_time_to_be_delivered() -> None:
    # made at 3, 6, 9, … and there 2 s later; used for 1 s: waits of 5 s, then 2 s for each of 9
    found = replay(
        loaded_run(
            making_s=[3.0] * 10, main_s=1.0, workers=1, operation_share=0.5, delivering_s=2.0
        )
    )
    assert found.wait_s == pytest.approx(5 + 9 * 2)
    # made every 1.5 s, delivered every 2 s, the first at 3.5: waits of 3.5 s, then 1 s for each
    assert found.saving_without_s("op:decode") == pytest.approx(23 - 3.5 - 9 * 1)


def test_an_operation_behind_a_slow_main_thread_is_worth_the_first_wait_alone() -> None:
    found = replay(loaded_run(making_s=[1.0] * 10, main_s=4.0, workers=2, operation_share=0.5))
    assert found.saving_without_s("op:decode") == pytest.approx(0.5)


def test_twice_the_workers_halve_the_time_between_batches() -> None:
    # one worker: 4 s first, then 3 s each; with two a batch comes every 2 s on average
    found = replay(loaded_run(making_s=[4.0] * 9, main_s=1.0, workers=1))
    assert found.wait_s == pytest.approx(4 + 8 * 3)
    # handed over at 4, 5, 8, 9, 12, …: waits of 4, 0, 2, 0, 2, 0, 2, 0, 2
    assert found.saving_with_workers_s(2) == pytest.approx(28 - 12)


def test_a_batch_that_no_worker_recorded_took_what_the_others_took() -> None:
    measured_run = loaded_run(making_s=[3.0] * 10, main_s=1.0, workers=1)
    [record] = measured_run.workers
    cut = WorkerRecord(
        stage=record.stage,
        worker=0,
        pid=record.pid,
        asked_s=None,
        ready_s=None,
        start_s=record.start_s[:6],
        end_s=record.end_s[:6],
        lines_s={line: column[:6] for line, column in record.lines_s.items()},
    )
    found = replay(replace(measured_run, workers=(cut,)))
    assert found.as_measured.wait_s == pytest.approx(found.wait_s)


def test_batches_of_the_sanity_check_are_not_taken_for_those_of_the_first_pass() -> None:
    measured_run = loaded_run(making_s=[3.0] * 6, main_s=1.0, workers=1)
    [record] = measured_run.workers
    before = worker([-90.0, -80.0], [-85.0, -75.0], {"fetch": [5.0, 5.0]}, pid=7)
    train = StageTimes(stage(Stage.VALIDATION, table(2, {"forward": 1.0}, begin_s=-50.0)))
    times = StageTimes(measured_run.stages[0])
    found = replay_of_workers(times, [before, record], [train])
    assert found is not None
    assert found.as_measured.wait_s == pytest.approx(found.wait_s)


def test_workers_go_on_while_validation_runs_between_two_training_batches() -> None:
    rows = table(5, {"data_wait": [3.0, 2.0, 0.0, 0.0, 1.0], "forward": 1.0})
    rows.start_s[:] = [0.0, 4.0, 57.0, 58.0, 59.0]  # 50 s of validation after the second batch
    record = worker([0, 3, 6, 9, 57], [3, 6, 9, 12, 60], {"fetch": [3.0] * 5})
    found = replay_of_workers(StageTimes(stage(Stage.TRAIN, rows)), [record])
    assert found is not None
    assert found.as_measured.wait_s == pytest.approx(6.0)


def test_two_loaders_read_at_the_same_time_have_no_replay() -> None:
    measured_run = loaded_run(making_s=[3.0] * 6, main_s=1.0, workers=1)
    [record] = measured_run.workers
    times = StageTimes(measured_run.stages[0])
    assert replay_of_workers(times, [record, replace(record, pid=7)]) is None


def test_a_stage_without_workers_or_batches_has_no_replay() -> None:
    times = StageTimes(stage(Stage.TRAIN, table(3, {"data_wait": 1.0})))
    assert replay_of_workers(times, []) is None
    assert replay_of_workers(StageTimes(stage(Stage.TRAIN, None)), []) is None
    assert replay_of_main_thread(StageTimes(stage(Stage.TRAIN, None))) is None


def test_the_sampler_stays_with_the_main_thread_when_workers_make_the_batches() -> None:
    times = StageTimes(stage(Stage.TRAIN, table(8, {"data_wait": 1.0, "forward": 1.0})))
    found = replay_of_main_thread(times, in_sampler={"data_wait": 0.75})
    assert found is not None
    assert found.as_measured.total_s == pytest.approx(16.0)
    # the first batch's making can't be hidden
    assert saving_with_first_workers(found, 1).high_s == pytest.approx(7 * 0.25)


def test_the_sampler_stays_with_the_main_thread_when_workers_go() -> None:
    # each batch is made in 0.1 s while the main thread works; then 0.2 s pass in the sampler
    rows = table(8, {"data_wait": 0.2, "forward": 0.5})
    begins_s = [max(0.7 * (batch - 1) + 0.3, 0.0) for batch in range(8)]
    made = worker(begins_s, [begin_s + 0.1 for begin_s in begins_s], {"fetch": [0.1] * 8})
    times = StageTimes(stage(Stage.TRAIN, rows))
    received, read = (
        replay_of_workers(times, [made], in_sampler=in_sampler) for in_sampler in (0.0, 1.0)
    )
    assert received is not None
    assert read is not None
    assert received.as_measured.total_s == read.as_measured.total_s
    received_s, read_s = (
        replayed_with(one, OtherLoader(workers=0)).total_s for one in (received, read)
    )
    assert read_s - received_s == pytest.approx(7 * 0.2 + 0.1)


def test_passes_of_several_epochs_and_loaders_are_replayed_one_by_one() -> None:
    rows = table(
        8,
        {"data_wait": 2.0, "forward": 1.0},
        batches_a_pass=4,
        dataloader_idx=[0, 0, 1, 1, 0, 0, 1, 1],
    )
    record = worker(rows.start_s.tolist(), (rows.start_s + 2.0).tolist(), {"fetch": [2.0] * 8})
    found = replay_of_workers(StageTimes(stage(Stage.VALIDATION, rows)), [record])
    assert found is not None
    assert [len(one.fetch_s) for one in found.passes] == [2, 2, 2, 2]


def test_a_long_stage_is_replayed_in_part_and_scaled() -> None:
    batches = 3 * MAX_BATCHES
    rows = table(batches, {"data_wait": 2.0, "forward": 1.0}, batches_a_pass=MAX_BATCHES)
    found = replay_of_main_thread(StageTimes(stage(Stage.TRAIN, rows)))
    assert found is not None
    assert sum(len(one.fetch_s) for one in found.passes) <= MAX_BATCHES
    assert len(found.passes) == 3
    assert found.as_measured.wait_s == pytest.approx(2.0 * batches)


def test_very_many_short_passes_are_sampled_over_the_whole_run() -> None:
    rows = table(4 * MAX_BATCHES, {"data_wait": 2.0, "forward": 1.0}, batches_a_pass=4)
    found = replay_of_main_thread(StageTimes(stage(Stage.VALIDATION, rows)))
    assert found is not None
    assert MAX_BATCHES / 2 <= sum(len(one.fetch_s) for one in found.passes) <= MAX_BATCHES


def test_a_replay_that_never_waits_saves_nothing() -> None:
    quiet = LoaderPass(
        main_s=np.ones(3),
        fetch_s=np.zeros(3),
        deliver_s=np.zeros(3),
        receive_s=np.zeros(3),
        lines_s={},
        ready_s=np.zeros(1),
    )
    found = LoaderReplay(wait_s=1.0, batches=3, passes=[quiet])
    assert found.saving_with_workers_s(2) == 0.0
