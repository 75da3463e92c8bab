"""What a run speaks for, and how long a trial of it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ocr_baseline.errors import BaselineError
from ocr_baseline.prove.planning import Plans, plans_of
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import (
    loaded_run,
    run,
    stage,
    steady_run,
    table,
    with_environment,
    worker,
)

CORES = {"cpu_count": 4, "accelerator": "cuda"}


def plans(made: Any, seconds: float = 10.0, **identity: Any) -> Plans:
    return plans_of(with_environment(made, **CORES | identity), seconds)


def given(found: Plans) -> list[dict[str, Any]]:
    return [one.settings.given() for one in found.candidates]


def test_a_loader_that_is_waited_for_is_tried_with_more_workers() -> None:
    found = plans(loaded_run(making_s=[0.2] * 60, main_s=0.1, workers=1))
    assert {"train.num_workers": 2} in given(found)
    [best] = [one for one in found.candidates if one.settings.given() == {"train.num_workers": 2}]
    assert best.predicted is not None
    # A batch every 0.2 s becomes one every 0.1 s.
    assert best.predicted.value_s == pytest.approx(60 * 0.1, rel=0.05)
    assert best.predicted.low_s < best.predicted.value_s < best.predicted.high_s


def test_a_run_that_waits_for_nothing_leaves_nothing_to_try() -> None:
    assert plans(loaded_run(making_s=[0.01] * 60, main_s=0.1, workers=2)).candidates == []


def test_a_loader_without_workers_is_tried_with_some() -> None:
    lines = {"loader_startup": 0.0, "data_wait": 0.2, "forward": 0.2}
    found = plans(steady_run(lines, batches=80), num_workers=0)
    assert {"train.num_workers": 1} in given(found)


def started_anew(passes: int, batches: int) -> Any:
    """Passes in which a worker starts for a second and then makes each batch in 0.05 s."""
    pass_s = 1.05 + batches * 0.1
    startup_s, workers = np.zeros(passes * batches), []
    startup_s[::batches] = 1.05
    for number in range(passes):
        begin_s = number * pass_s
        made_s = [begin_s + 1.05 + max(at - 2, 0) * 0.1 for at in range(batches)]
        workers.append(
            worker(
                [at_s - 0.05 for at_s in made_s],
                made_s,
                {"fetch": [0.05] * batches},
                pid=number,
                asked_s=begin_s,
                ready_s=begin_s + 1.0,
            )
        )
    lines: dict[str, Any] = {"loader_startup": startup_s, "data_wait": 0.0, "forward": 0.1}
    rows = table(passes * batches, lines, batches_a_pass=batches)
    tails_s = [{"loader_startup": 0.2}] * passes  # the workers' end
    return run(stage(Stage.TRAIN, rows, tails_s=tails_s), workers=tuple(workers))


def test_workers_that_start_anew_for_each_pass_are_tried_as_workers_that_stay() -> None:
    found = plans(started_anew(passes=6, batches=10))
    [kept] = [one for one in found.candidates if one.name == "train.persistent_workers=True"]
    assert kept.predicted is not None
    assert kept.predicted.value_s == pytest.approx(5 * (1.0 + 0.2), rel=0.05)


@pytest.mark.parametrize(("computing_s", "saving_s"), [(0.0, 20.0), (40.0, 10.0)])
def test_what_the_main_thread_computes_beside_its_batches_says_what_workers_share(
    computing_s: float, saving_s: float
) -> None:
    lines = {"loader_startup": 0.0, "data_wait": 0.1, "forward": 0.2}
    made = steady_run(lines, batches=200)
    [train] = made.stages
    epochs = tuple(
        replace(epoch, cpu_s=(20.0 + 2 * computing_s) / len(train.epochs)) for epoch in train.epochs
    )
    made = replace(made, stages=(replace(train, epochs=epochs),))
    tried = plans(made, accelerator="cpu", cpu_count=2, torch_num_threads=2, num_workers=0)
    best = tried.candidates[0].predicted
    assert best is not None
    # All batches are made meanwhile; or as much as two cores have left, 120 s less 80 s and 20 s.
    assert best.value_s == pytest.approx(saving_s, rel=0.1)


def received(in_s: float) -> Any:
    """Each batch is received in `in_s`, every second one long after it was made."""
    batches = 60
    startup_s = np.zeros(batches)
    startup_s[0] = 0.15
    made_s = [0.15 + 0.1 * at - 0.05 * (at % 2) for at in range(batches)]
    lines: dict[str, Any] = {"loader_startup": startup_s, "data_wait": in_s, "forward": 0.1 - in_s}
    made = worker(
        [at_s - 0.05 for at_s in made_s], made_s, {"fetch": [0.05] * batches}, ready_s=0.04
    )
    return run(stage(Stage.TRAIN, table(batches, lines)), workers=(made,))


@pytest.mark.parametrize(("in_s", "is_tried"), [(0.02, True), (0.003, False)])
def test_where_batches_are_dear_to_hand_over_no_workers_are_tried_without_a_prediction(
    in_s: float, is_tried: bool
) -> None:
    found = [one for one in plans(received(in_s)).candidates if one.name == "train.num_workers=0"]
    assert [one.predicted for one in found] == ([None] if is_tried else [])


def held_up(queued_s: float) -> Any:
    """A run whose two workers stood ready for a core for so long while they made each batch."""
    made = loaded_run(making_s=[0.1] * 40, main_s=0.2, workers=2)
    workers = [
        replace(one, cpu_s=0.05 * np.ones(20), queued_s=queued_s * np.ones(20))
        for one in made.workers
    ]
    return replace(made, workers=tuple(workers))


@pytest.mark.parametrize(("queued_s", "threads"), [(0.05, 2), (0.001, None)])
def test_threads_of_the_main_process_leave_cores_to_workers_that_stood_ready_for_one(
    queued_s: float, threads: int | None
) -> None:
    found = plans(held_up(queued_s), accelerator="cpu", torch_num_threads=4)
    tried = [one.get("trainer.torch_threads") for one in given(found)]
    assert tried == ([] if threads is None else [threads])


def test_more_threads_than_cores_in_the_main_process_are_tried_as_many_as_cores() -> None:
    made = steady_run({"forward": 0.1}, batches=80)
    [found] = made.stages
    epochs = tuple(replace(epoch, cpu_s=30.0, queued_s=4.0) for epoch in found.epochs)
    made = replace(made, stages=(replace(found, epochs=epochs),))
    tried = plans(made, accelerator="cpu", torch_num_threads=16)
    assert given(tried) == [{"trainer.torch_threads": 4}]
    assert tried.candidates[0].why == "thread-oversubscription:train:main"


def test_validation_in_small_batches_is_tried_in_those_of_training() -> None:
    train = stage(Stage.TRAIN, table(40, {"forward": 0.03}, samples=16.0))
    validation = stage(Stage.VALIDATION, table(100, {"forward": 0.02}, samples=1.0, begin_s=2.0))
    found = plans(run(train, validation), batch_size=16)
    assert given(found) == [{"validation.batch_size": 16}, {"validation.batch_size": 64}]


def test_checkpoints_between_steps_are_tried_ten_times_as_seldom() -> None:
    lines: dict[str, Any] = {
        "forward": 0.02,
        "checkpoint": np.where(np.arange(100) % 5 == 0, 0.1, 0.0),
    }
    found = plans(steady_run(lines, batches=100))
    assert given(found) == [{"trainer.checkpoint_interval_times": 10}]
    predicted = found.candidates[0].predicted
    assert predicted is not None
    assert predicted.value_s == pytest.approx(0.9 * 2.0, rel=0.01)


def test_checkpoints_at_the_end_of_epochs_are_tried_at_every_second() -> None:
    tails = [{"checkpoint": 1.0}] * 4
    found = plans(steady_run({"forward": 0.02}, batches=80, batches_a_pass=20, tails_s=tails))
    assert given(found) == [{"trainer.checkpoint_interval_times": 2}]
    assert found.candidates[0].predicted is not None
    assert found.candidates[0].predicted.value_s == pytest.approx(2.0, rel=0.01)


def test_logging_is_tried_at_a_longer_interval_in_training_alone() -> None:
    lines = {"forward": 0.02, "logging": 0.02}
    in_training = plans(steady_run(lines, batches=80))
    assert given(in_training) == [{"trainer.logging_interval_times": 10}]
    in_validation = plans(
        run(
            stage(Stage.TRAIN, table(80, {"forward": 0.04})),
            stage(Stage.VALIDATION, table(80, lines)),
        )
    )
    assert given(in_validation) == []
    assert [one.what for one in in_validation.not_tried] == ["heavy-logging:validation"]


def test_a_cause_whose_remedy_is_code_is_told_as_not_tried() -> None:
    found = plans(steady_run({"forward": 0.02, "metrics": 0.02}, batches=80))
    assert found.candidates == []
    assert [one.what for one in found.not_tried] == ["heavy-metrics:train"]


def test_a_trial_is_as_long_as_asked_and_no_longer_than_the_run() -> None:
    made = steady_run({"forward": 0.1}, batches=4000, batches_a_pass=1000)
    limits = plans(made, 12.0).limits
    assert (limits.max_epochs, limits.train_batches) == (3, 40)
    assert limits.validation_batches is None
    assert plans(made, 9000.0).limits.train_batches == 1000


def test_a_document_without_batches_can_not_be_proved() -> None:
    with pytest.raises(BaselineError, match="records"):
        plans_of(None, 10.0)
