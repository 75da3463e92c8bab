from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.run import Run
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import (
    evidence,
    finding,
    findings,
    loaded_run,
    run,
    silent_rules,
    stage,
    steady_run,
    table,
    with_environment,
    worker,
)


def waiting(share: float) -> Run:
    return steady_run({"forward": 1 - share, "data_wait": share})


def test_a_stage_is_moderately_input_bound_at_5_percent_and_highly_at_20() -> None:
    assert findings(waiting(0.04), "input-bound") == []
    assert finding(waiting(0.06), "input-bound").severity == "medium"
    high = finding(waiting(0.25), "input-bound")
    assert high.severity == "high"
    assert high.estimated_saving_s == pytest.approx(6.0)


def test_a_wait_without_recorded_workers_says_so_and_claims_no_number_of_workers() -> None:
    found = finding(waiting(0.25), "input-bound")
    assert found.advice.startswith("No loader worker was recorded in this stage.")
    assert "workers.train.count" not in evidence(found)


def test_the_operation_waited_for_longest_is_named() -> None:
    found = finding(
        loaded_run(making_s=[0.4] * 30, main_s=0.1, workers=1, operation_share=0.75), "input-bound"
    )
    assert "the main thread waited longest for `decode`" in found.advice
    assert evidence(found)["workers.train.count"] == 1


def test_a_short_wait_is_not_judged_but_noted() -> None:
    document = analyze(steady_run({"forward": 0.1, "data_wait": 0.9}, batches=6))
    assert document.findings == []
    assert any("input-bound" in note for note in silent_rules(document))


def test_a_worker_operation_saves_what_the_replay_without_it_waits_less() -> None:
    # one worker needs 3 s, the main thread 2 s: 3 s and 29 times 1 s are waited
    measured_run = loaded_run(making_s=[3.0] * 30, main_s=2.0, workers=1, operation_share=0.5)
    found = finding(measured_run, "worker-operation")
    assert found.severity == "medium"
    assert found.estimated_saving_s == pytest.approx(32.0 - 1.5)
    halved = evidence(found)["operations.decode.train.saving_if_halved_s"]
    assert halved == pytest.approx(32.0 - 2.25 - 29 * 0.25)
    assert found.estimated_saving_s is not None
    assert found.estimated_saving_s < evidence(found)["operations.decode.train.exclusive_s"]


def test_a_worker_operation_that_is_not_waited_for_is_no_finding() -> None:
    measured_run = loaded_run(making_s=[1.0] * 30, main_s=2.0, workers=1, operation_share=0.9)
    assert findings(measured_run, "worker-operation") == []


def test_a_light_operation_is_not_blamed_for_a_long_wait() -> None:
    measured_run = loaded_run(making_s=[9.0] * 30, main_s=1.0, workers=1, operation_share=0.09)
    assert findings(measured_run, "worker-operation") == []


def test_too_few_workers_are_found_with_the_number_that_would_do() -> None:
    measured_run = with_environment(
        loaded_run(making_s=[4.0] * 40, main_s=2.0, workers=1), cpu_count=8, accelerator="cuda"
    )
    found = finding(measured_run, "too-few-workers")
    # one worker: 4 s and 39 times 2 s are waited; two keep up: the first 4 s and no more
    assert found.estimated_saving_s == pytest.approx(78.0)
    assert "num_workers to 2" in found.advice
    assert evidence(found)["environment.identity.cpu_count"] == 8


def test_where_the_model_wants_all_cores_more_workers_only_fill_the_waits() -> None:
    measured_run = with_environment(
        loaded_run(making_s=[4.0] * 40, main_s=2.0, workers=1), cpu_count=2, accelerator="cpu"
    )
    found = finding(measured_run, "too-few-workers")
    # 162 s were measured. Model and worker wanted 3 cores and had 2: a batch's 2 s of the model
    # are 4/3 s of work in two threads, its making 10/3 s; the first making and the last use had
    # no company. 39 * (8/3 + 10/3) + 4 + 4 core seconds take two cores 121 s.
    assert found.estimated_saving_s == pytest.approx(162 - 121, abs=0.5)
    assert "share the cores" in (found.saving_basis or "")


def test_threads_that_the_model_does_not_use_are_there_for_workers() -> None:
    measured_run = loaded_run(making_s=[4.0] * 40, main_s=2.0, workers=1)
    all_cores = with_environment(measured_run, cpu_count=4, accelerator="cpu")
    one_thread = with_environment(measured_run, cpu_count=4, accelerator="cpu", torch_num_threads=1)
    more_s, most_s = (
        finding(one, "too-few-workers").estimated_saving_s for one in (all_cores, one_thread)
    )
    assert more_s is not None
    assert most_s is not None
    assert more_s < most_s


def test_no_more_workers_are_advised_than_there_are_cores() -> None:
    measured_run = loaded_run(making_s=[4.0] * 40, main_s=0.5, workers=2)
    assert findings(with_environment(measured_run, cpu_count=2), "too-few-workers") == []
    found = finding(with_environment(measured_run, cpu_count=3), "too-few-workers")
    assert "num_workers to 3" in found.advice


def test_a_wait_for_workers_asks_for_more_of_them_only_where_that_helps() -> None:
    waiting_run = loaded_run(making_s=[4.0] * 40, main_s=0.5, workers=2)
    full = finding(with_environment(waiting_run, cpu_count=2), "input-bound")
    assert full.advice == (
        "Make the workers' work cheaper: the cores have no room for more of them."
    )
    roomy = finding(with_environment(waiting_run, cpu_count=3, accelerator="cuda"), "input-bound")
    assert roomy.advice.startswith("Set the loader's num_workers to 3, which saves an estimated ")
    unknown = finding(waiting_run, "input-bound")
    assert unknown.advice.startswith("Give the loader more workers while cores are idle")


def test_without_the_number_of_cores_the_number_of_workers_is_not_judged() -> None:
    document = analyze(loaded_run(making_s=[4.0] * 40, main_s=0.5, workers=2))
    assert "not judged: too-few-workers (the number of cores was not recorded)" in silent_rules(
        document
    )


def computing(measured_run: Run, cpu_share: float, queued_share: float = 0.0) -> Run:
    """The same run, its workers' processor time known as shares of making each batch."""
    workers = tuple(
        replace(
            one,
            cpu_s=cpu_share * (one.end_s - one.start_s),
            queued_s=queued_share * (one.end_s - one.start_s),
        )
        for one in measured_run.workers
    )
    return replace(measured_run, workers=workers)


def test_workers_that_wait_need_no_core_each() -> None:
    # four workers make a batch in 4 s: one a second, and the main thread needs 0.2 s for it
    four = loaded_run(making_s=[4.0] * 80, main_s=0.2, workers=4)
    two_cores = with_environment(four, cpu_count=2, accelerator="cuda")
    waiting = computing(two_cores, 0.02)
    assert findings(waiting, "too-many-workers") == []
    found = finding(waiting, "too-few-workers")
    assert "num_workers to 8" in found.advice
    assert "wait 98% of the time" in found.advice
    # eight make one each half second
    assert found.estimated_saving_s == pytest.approx(four_s(four) / 2, rel=0.1)


def four_s(measured_run: Run) -> float:
    [phase] = analyze(measured_run).phases
    assert phase.total_s is not None
    return phase.total_s


def test_workers_that_stand_ready_for_a_core_do_not_count_as_waiting() -> None:
    four = loaded_run(making_s=[4.0] * 80, main_s=0.2, workers=4)
    two_cores = with_environment(four, cpu_count=2, accelerator="cuda")
    found = finding(computing(two_cores, 0.45, 0.5), "too-many-workers")
    assert found.severity == "medium"
    assert evidence(found)["workers.train.wanted_cores"] == pytest.approx(0.95)
    assert findings(computing(two_cores, 0.45, 0.5), "too-few-workers") == []


def test_a_training_loader_without_workers_is_replayed_with_some() -> None:
    measured_run = with_environment(waiting(0.25), num_workers=0, cpu_count=4, accelerator="cuda")
    found = finding(measured_run, "too-few-workers")
    # the first batch's 0.25 s can't be hidden, nor a worker's start and the taking of each batch
    hidden_s = 23 * 0.25
    assert found.estimated_saving_s == pytest.approx(hidden_s - 0.4 - 24 * 0.0013)
    dearest_s, free_s = hidden_s - 1.1 - 24 * 0.007, hidden_s
    assert (found.estimated_saving_low_s or 0.0) < dearest_s
    assert (found.estimated_saving_high_s or 0.0) > free_s
    assert "an estimate" in (found.saving_basis or "")
    assert evidence(found)["workers.train.count"] == 0


def test_a_wait_for_batches_of_the_main_thread_may_save_as_little_as_the_first_workers_do() -> None:
    measured_run = with_environment(waiting(0.25), num_workers=0, cpu_count=4, accelerator="cuda")
    wait = finding(measured_run, "input-bound")
    workers = finding(measured_run, "too-few-workers")
    assert wait.estimated_saving_s == pytest.approx(24 * 0.25)
    assert wait.estimated_saving_low_s is not None
    assert wait.estimated_saving_low_s < (workers.estimated_saving_s or 0.0)
    assert "at its low end, 1 worker" in (wait.saving_basis or "")
    assert "set num_workers to 1, which saves an estimated 5.3 s" in wait.advice


def test_first_workers_stay_where_starting_them_for_each_short_pass_costs_more() -> None:
    short = steady_run({"forward": 0.1, "data_wait": 0.1}, batches=60, batches_a_pass=6)
    measured_run = with_environment(short, num_workers=0, cpu_count=4, accelerator="cuda")
    found = finding(measured_run, "too-few-workers")
    # Of each pass, 0.1 s of its first batch can't be hidden; a worker starts once, in 0.4 s.
    assert found.estimated_saving_s == pytest.approx(10 * 5 * 0.1 - 0.4 - 60 * 0.0013, abs=0.1)
    assert found.advice.startswith(
        "Set the loader's num_workers to 1 and persistent_workers to True, then compare"
    )
    assert "replayed with 1 worker that stays from one pass to the next instead of 0" in (
        found.saving_basis or ""
    )


def test_workers_that_would_save_nothing_are_not_given_a_saving_of_no_seconds() -> None:
    short = steady_run({"forward": 0.09, "data_wait": 0.01}, batches=30)
    wait = finding(with_environment(short, num_workers=0, cpu_count=4), "input-bound")
    assert wait.advice.endswith("make a batch cheaper. Workers would save nothing here.")


def test_batches_that_were_ready_are_received_and_not_waited_for() -> None:
    rows = table(40, {"data_wait": 0.2, "forward": 0.5})
    # each batch is made while the model works on the one before
    begins_s = [max(0.7 * (batch - 1) + 0.3, 0.0) for batch in range(40)]
    made = worker(begins_s, [begin_s + 0.01 for begin_s in begins_s], {"fetch": [0.01] * 40})
    ready = run(stage(Stage.TRAIN, rows), workers=(made,))
    assert findings(ready, "input-bound") == []
    found = finding(ready, "handover")
    assert found.severity == "high"
    assert found.estimated_saving_s is None


def test_no_worker_is_advised_where_taking_a_batch_costs_as_much_as_making_it() -> None:
    tiny = steady_run({"forward": 0.003, "data_wait": 0.0007}, batches=400)
    measured_run = with_environment(tiny, num_workers=0, cpu_count=4, accelerator="cuda")
    assert findings(measured_run, "too-few-workers") == []


def test_a_loader_whose_workers_were_not_recorded_is_not_taken_for_one_without() -> None:
    measured_run = with_environment(waiting(0.25), num_workers=2, cpu_count=4)
    assert findings(measured_run, "too-few-workers") == []
    assert "none was recorded in this stage" in finding(measured_run, "input-bound").advice


def test_more_workers_than_cores_are_too_many() -> None:
    measured_run = with_environment(
        loaded_run(making_s=[1.0] * 30, main_s=0.5, workers=4), cpu_count=2
    )
    found = finding(measured_run, "too-many-workers")
    assert (found.severity, found.estimated_saving_s) == ("medium", None)
    assert evidence(found) == {"workers.train.count": 4, "environment.identity.cpu_count": 2}


def test_workers_that_are_mostly_idle_are_too_many_when_half_would_do() -> None:
    idle = loaded_run(making_s=[0.5] * 40, main_s=2.0, workers=4)
    found = finding(with_environment(idle, cpu_count=8), "too-many-workers")
    assert found.severity == "info"
    assert "num_workers to 2" in found.advice
    busy = loaded_run(making_s=[6.0] * 40, main_s=2.0, workers=4)
    assert findings(with_environment(busy, cpu_count=8), "too-many-workers") == []


def test_the_start_of_a_loader_counts_like_a_wait() -> None:
    def starting(share: float) -> Run:
        return steady_run({"forward": 1 - share, "loader_startup": share})

    rule = "loader-startup"
    assert findings(starting(0.04), rule) == []
    assert finding(starting(0.06), rule).severity == "medium"
    high = finding(starting(0.25), rule)
    assert high.severity == "high"
    assert high.estimated_saving_s == pytest.approx(6.0)


def restarted(starting_s: float, *, making_processes_s: float = 0.0) -> Run:
    """Three passes of eight batches, a worker of its own for each, in front of a batch of 1 s."""
    first = np.zeros(24)
    first[::8] = starting_s + 1.0
    rows = table(24, {"forward": 1.0, "loader_startup": first}, batches_a_pass=8)
    processes = tuple(
        worker(
            [0.0],
            [1.0],
            {"fetch": [1.0]},
            pid=pid,
            asked_s=8.0 * pid,
            ready_s=8.0 * pid + starting_s / 2,
        )
        for pid in range(3)
    )
    tails_s = [{"loader_startup": making_processes_s}] * 3
    return run(stage(Stage.TRAIN, rows, tails_s=tails_s), workers=processes)


def test_what_making_the_processes_takes_before_the_first_batch_is_asked_for_is_saved_too() -> None:
    found = finding(restarted(1.5, making_processes_s=3.0), "restarted-workers")
    assert found.estimated_saving_s == pytest.approx(2 * (1.5 + 3.0))


def test_workers_started_for_each_pass_save_their_later_starts_when_kept() -> None:
    found = finding(restarted(1.5), "restarted-workers")
    # twice 2.5 s before the first batch: 1 s is its making, and 0.75 s the process's start-up
    assert found.estimated_saving_s == pytest.approx(2 * 1.5)
    assert found.estimated_saving_low_s is not None
    assert found.estimated_saving_low_s < 2 * 0.75
    assert (found.estimated_saving_high_s or 0.0) > 2 * 2.5
    assert "persistent_workers=True" in found.advice
    assert evidence(found)["workers.train.processes"] == 3


def test_workers_whose_starts_are_under_2_percent_of_the_run_may_start_anew() -> None:
    assert findings(restarted(0.2), "restarted-workers") == []


def test_what_starts_anew_leads_the_time_that_its_loader_takes_to_start() -> None:
    [startup] = findings(restarted(4.0), "loader-startup")
    assert startup.part_of == "restarted-workers:train"


def test_workers_that_were_kept_are_not_advised_to_be_kept() -> None:
    rows = table(24, {"forward": 1.0}, batches_a_pass=8)
    kept = worker([0.0], [1.0], {"fetch": [1.0]}, asked_s=0.0, ready_s=0.75)
    found = finding(
        run(stage(Stage.TRAIN, rows, tails_s=[{"loader_startup": 1.0}] * 3), workers=(kept,)),
        "loader-startup",
    )
    assert found.estimated_saving_s == 3.0
    assert "persistent_workers" not in found.advice


def in_threads(measured_run: Run, threads: int) -> Run:
    workers = tuple(replace(one, torch_threads=threads) for one in measured_run.workers)
    return replace(measured_run, workers=workers)


def test_workers_that_compute_in_more_threads_than_there_are_cores_are_named_with_the_setting() -> (
    None
):
    two = loaded_run(making_s=[4.0] * 40, main_s=0.5, workers=2)
    two_cores = with_environment(two, cpu_count=2, accelerator="cuda")
    crowded = in_threads(computing(two_cores, 0.4, 0.6 + 0.1), 8)
    found = finding(crowded, "thread-oversubscription")
    assert "torch.set_num_threads" in found.advice
    assert found.estimated_saving_low_s == 0.0
    waited_s = analyze(crowded).workers[0].waited_s
    assert found.estimated_saving_s == pytest.approx(0.7 * waited_s)
    [wait] = findings(crowded, "input-bound")
    assert wait.part_of == "thread-oversubscription:train"


def test_cores_that_other_processes_had_are_not_the_doing_of_the_workers_threads() -> None:
    two = loaded_run(making_s=[4.0] * 40, main_s=0.5, workers=2)
    crowded = in_threads(computing(with_environment(two, cpu_count=2), 0.4, 0.9), 8)
    [train] = crowded.stages
    epochs = tuple(replace(epoch, cpu_s=0.0, queued_s=0.0) for epoch in train.epochs)
    crowded = replace(crowded, stages=(replace(train, epochs=epochs),))
    waited_s = analyze(crowded).workers[0].waited_s
    # both workers computed 0.4 of the time: for 0.4 of it, at most, they had both cores
    assert finding(crowded, "thread-oversubscription").estimated_saving_s == pytest.approx(
        0.4 * waited_s
    )


@pytest.mark.parametrize(
    ("threads", "cpu_share", "queued_share"),
    [(1, 0.4, 0.7), (8, 0.1, 0.1)],
    ids=["one thread each", "threads that wait"],
)
def test_threads_that_take_no_core_from_each_other_are_no_finding(
    threads: int, cpu_share: float, queued_share: float
) -> None:
    two = loaded_run(making_s=[4.0] * 40, main_s=0.5, workers=2)
    two_cores = with_environment(two, cpu_count=2, accelerator="cuda")
    measured_run = in_threads(computing(two_cores, cpu_share, queued_share), threads)
    assert findings(measured_run, "thread-oversubscription") == []
