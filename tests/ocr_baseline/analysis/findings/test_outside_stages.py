from __future__ import annotations

from dataclasses import replace

import pytest

from ocr_baseline.model.run import Run, StartRecord
from tests.ocr_baseline.analysis.builders import evidence, finding, findings, steady_run

RULE = "outside-stages"


def lasting(run_s: float, *, script_s: float = 5.0) -> Run:
    """Begins with its script, a set-up of a second and a sanity check of two, trains for 24 s."""
    start = StartRecord(
        process_s=script_s,
        before_s={"script": script_s},
        lines_s={"other": 1.0},
        sanity_check_s=2.0,
        first_step_s=1.0,
    )
    run = steady_run({"forward": 1.0}, start=start)
    return replace(run, info=replace(run.info, duration_s=run_s))


def test_what_passed_neither_before_the_first_batch_nor_in_a_stage_is_found() -> None:
    found = finding(lasting(39.0), RULE)

    assert evidence(found) == {"outside_stages_s": pytest.approx(39.0 - 1.0 - 2.0 - 24.0)}
    assert found.title == "12 of the run's 44 s passed between its stages or after them"
    assert (found.severity, found.estimated_saving_s) == ("medium", None)


@pytest.mark.parametrize("run_s", [36.0, 28.0])
def test_less_than_ten_seconds_are_not_found(run_s: float) -> None:
    assert not findings(lasting(run_s), RULE)


def test_less_than_five_percent_of_the_run_is_not_found() -> None:
    assert not findings(lasting(39.0, script_s=300.0), RULE)


def test_it_is_not_judged_where_the_start_of_the_run_is_not_known() -> None:
    run = lasting(100.0)
    assert not findings(replace(run, start=None), RULE)
