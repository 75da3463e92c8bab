from __future__ import annotations

from dataclasses import replace

import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.run import GarbageRecord, Run
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import evidence, finding, findings, steady_run
from tests.ocr_baseline.analysis.sampled_stacks import FIT, samples

RULE = "garbage-collection"


def collecting(seconds: float) -> Run:
    """24 batches of a second each; the collector's pauses are mostly in the forward pass."""
    garbage = GarbageRecord(
        stage=Stage.TRAIN,
        collections=30,
        full_collections=24,
        lines_s={"backward": seconds / 4, "forward": 3 * seconds / 4},
    )
    return steady_run({"forward": 0.6, "backward": 0.4}, garbage=(garbage,))


def test_pauses_of_the_collector_are_found_from_2_percent_of_a_stage() -> None:
    assert findings(collecting(0.4), RULE) == []
    assert finding(collecting(0.6), RULE).severity == "low"
    found = finding(collecting(6.0), RULE)
    assert found.severity == "high"
    assert found.estimated_saving_s == pytest.approx(6.0)
    assert found.title.endswith("mostly in `forward`")
    assert "gc.collect()" in found.advice
    assert evidence(found)["phases.train.garbage_collections"] == 30


def test_pauses_in_the_profilers_own_line_are_not_the_trainings() -> None:
    garbage = GarbageRecord(
        stage=Stage.TRAIN,
        collections=30,
        full_collections=2,
        lines_s={"profiler": 5.0, "forward": 0.4},
    )
    lines = {"forward": 0.6, "profiler": 0.4}
    assert findings(steady_run(lines, garbage=(garbage,)), RULE) == []

    more = replace(garbage, lines_s={"profiler": 5.0, "forward": 1.0})
    found = finding(steady_run(lines, garbage=(more,)), RULE)
    assert found.title.endswith("mostly in `forward`")
    assert found.estimated_saving_s == pytest.approx(1.0)


def test_a_single_full_collection_is_no_habit_of_the_trainings() -> None:
    garbage = GarbageRecord(
        stage=Stage.TRAIN, collections=30, full_collections=1, lines_s={"forward": 1.0}
    )
    run = steady_run({"forward": 1.0}, garbage=(garbage,))
    assert findings(run, RULE) == []
    assert any(
        note == "not judged: garbage-collection (train has 1 full collection, 2 needed)"
        for note in analyze(run).measurement.notes
    )
    without = replace(garbage, full_collections=0)
    assert finding(steady_run({"forward": 1.0}, garbage=(without,)), RULE).severity == "low"


def test_a_phase_holds_what_the_collector_took_of_it() -> None:
    [phase] = analyze(collecting(0.4)).phases
    assert phase.garbage_collections == 30
    assert phase.garbage_s == pytest.approx(0.4)
    [untold] = analyze(steady_run({"forward": 1.0})).phases
    assert (untold.garbage_collections, untold.garbage_s) == (None, None)


def tidied(paused_s: float) -> Run:
    """24 s in the callbacks, of which sampling meets 90% in `tidy_up`."""
    hook = f"{FIT} lightning:call_hook user:Tidy.on_train_batch_end"
    garbage = GarbageRecord(
        stage=Stage.TRAIN, collections=24, full_collections=24, lines_s={"callbacks": paused_s}
    )
    return steady_run(
        {"callbacks": 1.0, "backward": 1.0},
        garbage=(garbage,),
        stack_samples=(samples({"callbacks": {f"{hook} user:tidy_up": 900, hook: 100}}),),
    )


def test_a_function_that_must_hold_most_of_the_pauses_is_named() -> None:
    found = finding(tidied(22.0), RULE)
    assert found.title == (
        "Training is held by Python's garbage collector, mostly in `callbacks`: "
        "`tidy_up (train.py:7)` takes 90 ± 2% of it"
    )
    assert found.advice.endswith("Begin with `tidy_up (train.py:7)`.")


def test_a_function_that_may_have_nothing_to_do_with_the_pauses_is_not_named() -> None:
    found = finding(tidied(4.0), RULE)
    assert found.title.endswith("mostly in `callbacks`")
    assert found.cause is None


def test_a_line_that_the_only_full_collection_fell_into_is_not_heavy_for_it() -> None:
    once = GarbageRecord(
        stage=Stage.TRAIN, collections=5, full_collections=1, lines_s={"logging": 2.0}
    )
    lines = {"forward": 0.9, "logging": 0.1}  # 2.4 of 24 s
    assert findings(steady_run(lines, garbage=(once,)), "heavy-logging") == []

    twice = replace(once, full_collections=2)
    assert finding(steady_run(lines, garbage=(twice,)), "heavy-logging").severity == "medium"
