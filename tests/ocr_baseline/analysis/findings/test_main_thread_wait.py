"""What takes a step's time where the main thread mostly stands still."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ocr_baseline.model.run import Run
from tests.ocr_baseline.analysis.builders import evidence, finding, steady_run, with_environment
from tests.ocr_baseline.analysis.sampled_stacks import CALL, FIT, samples

STEP = f"{FIT} lightning:run user:Net.training_step"
FUNCTION = f"{STEP} user:draw"
MODEL = f"{STEP} {CALL} user:Net.forward torch:conv2d"
RULE = "costly-step-code"
LINE_S = 0.8 * 24


def stepping(
    thread_s: float | None,
    *,
    cpu_s: float | None = None,
    queued_s: float | None = 0.0,
    inside: str = STEP,
    accelerator: str = "cpu",
) -> Run:
    """24 batches of a second: 0.8 s of each in the step, of whose samples 70% are in `inside`."""
    lines = {"forward": {inside: 70, MODEL: 30}}
    run = steady_run({"forward": 0.8, "backward": 0.2}, stack_samples=(samples(lines),))
    [train] = run.stages
    [epoch] = train.epochs
    cpu_s = thread_s if cpu_s is None else cpu_s
    epoch = replace(epoch, cpu_s=cpu_s, thread_s=thread_s, queued_s=queued_s)
    run = replace(run, stages=(replace(train, epochs=(epoch,)),))
    return with_environment(run, accelerator=accelerator)


def test_a_step_that_waits_is_told_how_long_and_not_to_look_for_loops() -> None:
    found = finding(stepping(4.0), RULE)

    assert found.title.endswith(", and most of `forward` is waiting")
    assert found.advice == (
        "Find what the step waits for: a file, the network, a lock, another process or a sleep. "
        "In `forward` the main thread ran for at most 4.00 s of 19.20 s, and waited for at least "
        "15.20 s."
    )
    told = evidence(found)
    assert told["phases.train.breakdown.forward.total_s"] == pytest.approx(LINE_S)
    assert (told["phases.train.thread_s"], told["phases.train.queued_s"]) == (4.0, 0.0)
    assert "phases.train.cpu_s" not in told


def test_what_a_step_that_waits_would_save_is_the_most_and_may_be_nothing() -> None:
    found = finding(stepping(4.0), RULE)
    assert found.saving_is_the_most
    assert found.estimated_saving_low_s == 0.0
    assert found.estimated_saving_s == pytest.approx(0.7 * LINE_S)


def test_other_threads_that_ran_meanwhile_may_have_held_the_interpreters_lock() -> None:
    found = finding(stepping(4.0, cpu_s=4.0 + 12.0), RULE)
    assert found.advice.startswith(
        "Find what the step waits for: the interpreter's lock, if the other threads of the process "
        "run Python (12.00 s of processor time in the stage), else those threads, a file"
    )
    assert evidence(found)["phases.train.cpu_s"] == 16.0


def test_other_threads_that_ran_for_little_of_the_wait_are_not_named() -> None:
    assert "interpreter" not in finding(stepping(4.0, cpu_s=4.0 + 7.0), RULE).advice


@pytest.mark.parametrize(
    "run",
    [
        stepping(0.6 * LINE_S),
        stepping(4.0, queued_s=8.0),
        replace(stepping(4.0), environment_volatile={"cpu_limit_held_share": 0.4}),
        stepping(4.0, accelerator="cuda"),
        stepping(None),
        stepping(4.0, queued_s=None),
    ],
    ids=[
        "the thread ran",
        "it had no core",
        "the container's limit held it",
        "it may have waited for an accelerator",
        "an earlier version's records",
        "a system that doesn't tell",
    ],
)
def test_a_step_that_may_have_computed_is_to_be_searched_for_loops(run: Run) -> None:
    found = finding(run, RULE)
    assert found.advice.startswith("Look in it for loops")
    assert not found.saving_is_the_most
    assert "waiting" not in found.title
    assert not any(metric.endswith("thread_s") for metric in evidence(found))


def test_a_library_function_in_a_step_that_waits_is_named_with_the_wait() -> None:
    found = finding(stepping(4.0, inside=f"{STEP} stdlib:Condition.wait"), RULE)
    assert found.advice.startswith("100% of that is in `Condition.wait (")
    assert "waited for at least 15.20 s" in found.advice


def test_a_function_in_a_line_that_waits_is_not_to_be_replaced_by_a_faster_one() -> None:
    waits, computes = stepping(4.0, inside=FUNCTION), stepping(18.0, inside=FUNCTION)
    found = finding(waits, "dominant-function")

    assert found.title.endswith(", and most of `forward` is waiting")
    assert found.advice.startswith("Find whether it waits, and what for: a file")
    assert evidence(found)["phases.train.thread_s"] == 4.0
    assert "a faster equivalent" not in found.advice
    assert "a faster equivalent" in finding(computes, "dominant-function").advice
