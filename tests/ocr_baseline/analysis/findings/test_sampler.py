from __future__ import annotations

from dataclasses import replace

import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.run import Run
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import (
    evidence,
    finding,
    findings,
    run,
    stage,
    steady_run,
    table,
    with_environment,
    worker,
)
from tests.ocr_baseline.analysis.sampled_stacks import FIT, samples

READ = f"{FIT} loader:_BaseDataLoaderIter._next_index user:Shuffled.__iter__"
MADE = f"{FIT} loader:_SingleProcessDataLoaderIter._next_data fetch:_MapDatasetFetcher.fetch"
MAKES = f"{MADE} user:Data.__getitem__"


def without_workers(*, read: int, made: int, wait: float = 0.5) -> Run:
    """A training without workers whose wait was sampled so often in its sampler and dataset."""
    lines = {"data_wait": {READ: read, MAKES: made}}
    measured_run = steady_run(
        {"forward": 1 - wait, "data_wait": wait}, stack_samples=(samples(lines),)
    )
    return with_environment(measured_run, num_workers=0, cpu_count=4, accelerator="cuda")


def with_workers(*, read: int) -> Run:
    """A training whose main thread read the sampler while its worker had the batches ready."""
    rows = table(40, {"data_wait": 0.2, "forward": 0.5})
    begins_s = [max(0.7 * (batch - 1) + 0.3, 0.0) for batch in range(40)]
    ends_s = [begin_s + 0.01 for begin_s in begins_s]
    made = worker(begins_s, ends_s, {"fetch": [0.01] * 40})
    lines = {"data_wait": {READ: read, f"{FIT} loader:_get_data": 100 - read}}
    return with_environment(
        run(stage(Stage.TRAIN, rows), workers=(made,), stack_samples=(samples(lines),)),
        cpu_count=4,
        accelerator="cuda",
    )


def test_a_wait_for_the_sampler_is_not_for_workers_to_save() -> None:
    measured_run = without_workers(read=98, made=2)
    assert findings(measured_run, "too-few-workers") == []
    found = finding(measured_run, "input-bound")
    assert found.title.startswith("Training waits for data: `Shuffled.__iter__ (train.py:17)`")
    assert found.advice == (
        "Make the sampler's indices cheaper or all at once: most of the wait is in the sampler. "
        "The main process reads it, whatever num_workers is; a permutation can be built once. "
        "Workers would save nothing here. Begin with `Shuffled.__iter__ (train.py:17)`."
    )
    assert found.estimated_saving_s == pytest.approx(0.98 * 0.5 * 24)
    assert evidence(found)["phases.train.breakdown.data_wait.sampler_share"] == 0.98


def test_workers_save_of_a_wait_only_what_is_not_the_samplers() -> None:
    all_made = finding(without_workers(read=0, made=100), "too-few-workers")
    partly = finding(without_workers(read=30, made=70), "too-few-workers")
    assert all_made.estimated_saving_s is not None
    assert partly.estimated_saving_s == pytest.approx(all_made.estimated_saving_s - 0.3 * 23 * 0.5)
    assert "num_workers" in finding(without_workers(read=30, made=70), "input-bound").advice


def test_too_few_samples_name_no_sampler() -> None:
    assert "sampler" not in finding(without_workers(read=20, made=0), "input-bound").advice


def test_batches_that_wait_for_the_sampler_are_not_slow_to_receive() -> None:
    assert findings(with_workers(read=0), "input-bound") == []
    assert finding(with_workers(read=0), "handover").severity == "high"
    assert findings(with_workers(read=98), "handover") == []
    found = finding(with_workers(read=98), "input-bound")
    assert found.advice.startswith("Make the sampler's indices cheaper")
    assert found.cause is not None
    assert found.cause.of == "phases.train.breakdown.data_wait"
    assert found.estimated_saving_s == pytest.approx(0.98 * 0.2 * 40)


def test_what_receiving_a_batch_takes_is_not_told_where_the_sampler_is_read_meanwhile() -> None:
    [received] = analyze(with_workers(read=0)).workers
    [mixed] = analyze(with_workers(read=98)).workers
    assert received.receive_time_s is not None
    assert mixed.receive_time_s is None


def starting(stack: str) -> str:
    """The advice on a loader that takes half of a training to start, in that stack."""
    stacks = samples({"loader_startup": {stack: 90}})
    measured_run = steady_run({"forward": 0.5, "loader_startup": 0.5})
    return finding(replace(measured_run, stack_samples=(stacks,)), "loader-startup").advice


def test_code_of_the_users_before_a_first_batch_is_to_do_less_or_run_once() -> None:
    assert starting(f"{FIT} user:Net.train_dataloader") == (
        "Do less in the project's own code that runs before the first batch of a pass, or do it "
        "once where it runs at each pass. Begin with `Net.train_dataloader (train.py:20)`."
    )


@pytest.mark.parametrize("stack", [READ, READ.replace("user:", "torch:")])
def test_a_permutation_before_a_first_batch_is_to_be_built_once(stack: str) -> None:
    assert starting(stack).startswith("Make the sampler's indices cheaper or all at once")


@pytest.mark.parametrize("stack", [MAKES, f"{FIT} torch:fork"])
def test_a_first_batch_that_is_dear_to_make_is_to_be_smaller(stack: str) -> None:
    assert "a smaller first batch" in starting(stack)


def streamed(*, cpu_count: int) -> Run:
    lines = {"data_wait": {f"{FIT} loader:next fetch:_IterableDatasetFetcher.fetch user:parse": 90}}
    measured_run = steady_run({"forward": 0.1, "data_wait": 0.9}, stack_samples=(samples(lines),))
    return with_environment(measured_run, num_workers=0, cpu_count=cpu_count, accelerator="cuda")


def test_what_several_workers_save_a_stream_holds_only_if_it_is_dealt_out() -> None:
    condition = "if the dataset deals its samples out among workers"
    wait = finding(streamed(cpu_count=4), "input-bound")
    assert wait.advice.index(condition) < wait.advice.index("or make a batch cheaper")
    assert condition in (wait.saving_basis or "")
    workers = finding(streamed(cpu_count=4), "too-few-workers")
    assert condition in (workers.saving_basis or "")
    assert "get_worker_info()" in workers.advice


def test_a_single_worker_has_a_stream_for_itself() -> None:
    assert "if the dataset deals" not in finding(streamed(cpu_count=1), "input-bound").advice
