from __future__ import annotations

from dataclasses import replace

import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.run import Run
from tests.ocr_baseline.analysis.builders import (
    evidence,
    finding,
    findings,
    steady_run,
    with_environment,
)

RULE = "thread-oversubscription"


def crowded(queued_s: float | None, *, threads: int = 16, batches: int = 24) -> Run:
    """A pass of one-second batches on two cores, in which the main thread had to wait for one."""
    run = steady_run({"forward": 0.6, "backward": 0.4}, batches=batches)
    [train] = run.stages
    [epoch] = train.epochs
    train = replace(train, epochs=(replace(epoch, cpu_s=40.0, queued_s=queued_s),))
    return with_environment(
        replace(run, stages=(train,)), cpu_count=2, torch_num_threads=threads, accelerator="cpu"
    )


def limited(run: Run, share: float) -> Run:
    held = {"cpu_limit_held_s": share * 24.0, "cpu_limit_held_share": share}
    return replace(run, environment_volatile=held)


def test_more_threads_than_cores_are_named_where_the_main_thread_waits_for_a_core() -> None:
    found = finding(crowded(9.0), RULE)

    assert found.id == "thread-oversubscription:train:main"
    assert found.title == "Training computes in more threads than there are cores: 16 on 2"
    assert found.severity == "high"
    assert found.estimated_saving_s == 9.0
    assert found.estimated_saving_low_s == 0.0
    assert (found.estimated_saving_high_s or 0.0) >= 18.0
    assert "torch.set_num_threads(2)" in found.advice
    assert evidence(found) == {
        "environment.identity.torch_num_threads": 16.0,
        "environment.identity.cpu_count": 2.0,
        "phases.train.cpu_s": 40.0,
        "phases.train.queued_s": 9.0,
    }


def test_the_time_in_which_the_containers_limit_held_the_run_counts_as_well() -> None:
    found = finding(limited(crowded(0.5), 0.25), RULE)

    assert found.estimated_saving_s == 6.0
    assert evidence(found)["environment.volatile.cpu_limit_held_s"] == 6.0
    assert finding(limited(crowded(None), 0.25), RULE).estimated_saving_s == 6.0


def test_for_no_longer_than_its_threads_computed_on_all_cores_the_wait_is_their_doing() -> None:
    assert finding(crowded(23.0), RULE).estimated_saving_s == 40.0 / 2


@pytest.mark.parametrize(
    ("queued_s", "threads"),
    [(1.1, 16), (9.0, 2), (9.0, 1), (None, 16)],
    ids=["a short wait", "a thread a core", "one thread", "a wait that isn't known"],
)
def test_threads_that_cost_little_or_are_no_more_than_the_cores_are_no_finding(
    queued_s: float | None, threads: int
) -> None:
    assert findings(crowded(queued_s, threads=threads), RULE) == []


def test_a_short_stage_is_not_judged_but_noted() -> None:
    document = analyze(crowded(3.0, batches=6))
    assert findings(crowded(3.0, batches=6), RULE) == []
    assert any(RULE in note for note in document.measurement.notes)


def test_a_pass_that_was_cut_short_leaves_the_processor_time_of_its_stage_unknown() -> None:
    run = crowded(9.0)
    [train] = run.stages
    cut = replace(run, stages=(replace(train, epochs=()),))
    [phase] = analyze(cut).whole_phases
    assert (phase.cpu_s, phase.queued_s) == (None, None)
