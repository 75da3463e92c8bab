"""Which lines account for a change."""

from __future__ import annotations

import pytest

from ocr_baseline.comparison.comparison import compare
from tests.ocr_baseline.comparison.measured_runs import LINES_S, run


def test_the_lines_sum_to_the_change_and_the_largest_comes_first() -> None:
    slower = {**LINES_S, "metrics": 0.051, "data_wait": 0.007}
    (phase,) = compare([run(0)], [run(1, lines_s=slower)]).breakdowns
    assert phase.delta_s == pytest.approx(0.018)
    assert sum(line.delta_s for line in phase.lines) == pytest.approx(phase.delta_s)
    assert [line.name for line in phase.main_lines] == ["metrics", "data_wait"]
    assert phase.main_lines[0].delta_s == pytest.approx(0.021)


def test_a_line_of_one_side_only_contributes_all_of_its_time() -> None:
    (phase,) = compare([run(0)], [run(1, lines_s={**LINES_S, "checkpoint": 0.02})]).breakdowns
    line = phase.main_lines[0]
    assert (line.name, line.base_s) == ("checkpoint", None)
    assert line.delta_s == pytest.approx(0.02)


def test_sets_give_each_line_an_interval() -> None:
    before = [run(i, lines_s={**LINES_S, "metrics": 0.03 + i / 1e4}) for i in range(5)]
    after = [run(10 + i, lines_s={**LINES_S, "metrics": 0.05 + i / 1e4}) for i in range(5)]
    (phase,) = compare(before, after).breakdowns
    beyond = {line.name for line in phase.lines if line.is_beyond_spread}
    assert beyond == {"metrics"}


def test_a_phase_of_one_side_only_has_no_breakdown_of_the_change() -> None:
    comparison = compare([run(0)], [run(1, phases=("train", "validation"))])
    assert [phase.phase for phase in comparison.breakdowns] == ["train"]


def test_time_that_the_lines_leave_out_is_a_line() -> None:
    from ocr_baseline.comparison.summary import summarize
    from tests.ocr_baseline.comparison.measured_runs import baseline

    document = baseline(1)
    phase = document.phases[0].model_copy(update={"total_s": 12.0})
    longer = summarize(document.model_copy(update={"phases": [phase]}))
    (changed,) = compare([run(0)], [longer]).breakdowns
    assert changed.main_lines[0].name == "unaccounted"
    assert changed.main_lines[0].delta_s == pytest.approx(0.02)
