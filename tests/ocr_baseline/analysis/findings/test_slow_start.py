from __future__ import annotations

from dataclasses import replace

import pytest

from ocr_baseline.model.run import Run, StartRecord
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import evidence, finding, findings, steady_run
from tests.ocr_baseline.analysis.sampled_stacks import samples

RULE = "slow-start"


def begun(
    *,
    script: float = 1.0,
    prepare: float = 0.0,
    setup: float = 0.0,
    sanity: float = 0.0,
    run_s: float = 100.0,
    first_step: float = 1.0,
) -> Run:
    """A run of `run_s` from its set-up on, of which one second is its first batch."""
    started = StartRecord(
        process_s=script + prepare,
        before_s={"script": script, "prepare_data": prepare},
        lines_s={"module_hooks:setup": setup, "other": 0.5},
        sanity_check_s=sanity,
        first_step_s=first_step,
    )
    run = steady_run({"forward": 0.1}, start=started)
    return replace(run, info=replace(run.info, duration_s=run_s))


def test_the_longest_part_that_could_go_is_named_and_is_the_saving() -> None:
    found = finding(begun(script=12.0, prepare=9.0, setup=8.0, run_s=79.0), RULE)

    assert found.id == "slow-start:prepare_data"
    assert found.estimated_saving_s == 9.0
    assert found.share_of_run == pytest.approx(9.0 / (12.0 + 9.0 + 79.0))
    assert found.severity == "medium"
    assert evidence(found)["start.time_to_first_step_s"] == pytest.approx(12 + 9 + 8 + 0.5 + 1.0)
    assert evidence(found)["start.breakdown.prepare_data.total_s"] == 9.0


@pytest.mark.parametrize(("seconds", "severity"), [(9.6, "medium"), (30.0, "high")])
def test_severity_is_the_named_parts_share_of_the_run(seconds: float, severity: str) -> None:
    assert finding(begun(setup=seconds, run_s=99.0), RULE).severity == severity


def test_where_no_part_could_go_the_longest_is_named_without_a_saving() -> None:
    found = finding(begun(script=15.0, prepare=0.1), RULE)

    assert (found.id, found.severity) == ("slow-start:script", "medium")
    assert found.title.endswith("longest in `script` (15.0 of 16.6 s)")
    assert found.estimated_saving_s is None


def test_a_small_part_that_could_not_go_is_a_note() -> None:
    found = finding(begun(script=15.0, run_s=400.0), RULE)
    assert (found.id, found.severity) == ("slow-start:script", "info")


def test_a_small_part_that_could_go_is_not_named_beside_a_long_one_that_could_not() -> None:
    assert finding(begun(script=15.0, sanity=3.0), RULE).id == "slow-start:script"


def test_a_start_of_less_than_ten_seconds_is_not_slow() -> None:
    assert not findings(begun(script=1.0, prepare=7.4, run_s=60.0), RULE)
    assert findings(begun(script=1.0, prepare=7.6, run_s=60.0), RULE)


def test_a_second_in_one_part_is_slow_where_it_is_much_of_the_run_and_could_go() -> None:
    found = finding(begun(prepare=2.0, run_s=5.0), RULE)
    assert (found.id, found.severity) == ("slow-start:prepare_data", "high")
    assert found.estimated_saving_s == 2.0

    assert not findings(begun(prepare=0.9, run_s=1.0), RULE)
    assert not findings(begun(prepare=2.0, run_s=10.0), RULE)
    assert not findings(begun(script=2.0, run_s=5.0), RULE)


def test_a_start_of_less_than_two_percent_of_the_run_is_not_slow() -> None:
    assert not findings(begun(prepare=12.0, run_s=1000.0), RULE)
    assert findings(begun(prepare=12.0, run_s=600.0), RULE)


def test_the_function_that_sampling_met_in_the_part_is_the_cause() -> None:
    stacks = samples(
        {"module_hooks:setup": {"user:<module> lightning:Trainer.fit user:index_files": 100}},
        which=Stage.SETUP,
    )
    found = finding(replace(begun(setup=20.0), stack_samples=(stacks,)), RULE)

    assert found.cause is not None
    assert found.cause.name == "index_files"
    assert "index_files" in found.title
    assert "index_files" in found.advice


def test_the_sanity_check_has_a_remedy() -> None:
    assert "num_sanity_val_steps=0" in finding(begun(sanity=20.0), RULE).advice


def test_a_slow_loader_is_one_cause_with_what_the_training_says_of_it() -> None:
    slow = begun(run_s=60.0)
    assert slow.start is not None
    start = replace(slow.start, lines_s={"loader_startup": 20.0})
    assert finding(replace(slow, start=start), RULE).lines == ["train.loader_startup"]


def test_a_run_whose_start_was_not_recorded_has_no_such_finding() -> None:
    assert not findings(steady_run({"forward": 0.1}), RULE)
