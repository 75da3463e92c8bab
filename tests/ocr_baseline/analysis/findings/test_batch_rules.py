from __future__ import annotations

import numpy as np
import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.run import Run
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import (
    evidence,
    finding,
    findings,
    run,
    silent_rules,
    stage,
    steady_run,
    table,
)

# 43 batches of one pass: three are warm-up, forty are steady


def with_slow_batches(slow: int, slow_s: float, line: str = "metrics") -> Run:
    """Forty steady batches of 1 s in `forward`, the last `slow` of them longer in `line`."""
    extra = np.zeros(43)
    extra[43 - slow :] = slow_s
    return steady_run({"forward": 1.0, line: extra}, batches=43)


def test_a_tail_is_a_95th_percentile_of_half_as_much_again_as_the_median() -> None:
    assert findings(with_slow_batches(8, 0.4), "tail-latency") == []
    found = finding(with_slow_batches(8, 1.0), "tail-latency")
    assert found.estimated_saving_s == pytest.approx(8.0)
    assert found.severity == "medium"  # 8 of 51 s
    values = evidence(found)
    assert values["phases.train.batch_time_s.p95"] == pytest.approx(2.0)
    assert values["phases.train.batch_time_s.median"] == pytest.approx(1.0)
    assert values["phases.train.batch_time_s.slow_share"] == pytest.approx(0.2)


def test_the_line_that_makes_slow_batches_slow_is_named() -> None:
    found = finding(with_slow_batches(8, 1.0, line="op:unclip"), "tail-latency")
    assert found.title == "Some training batches are slow, mostly in `unclip`"
    assert evidence(found)["phases.train.batch_time_s.slow_excess.unclip"] == pytest.approx(1.0)


def test_no_line_and_no_saving_is_named_when_none_makes_up_80_percent_of_the_excess() -> None:
    extra = np.zeros(43)
    extra[35:] = 0.5
    found = finding(
        steady_run({"forward": 1 + extra, "metrics": extra}, batches=43), "tail-latency"
    )
    assert found.title == "Some training batches are slow"
    assert "No line of the breakdown" in found.advice
    assert found.estimated_saving_s is None
    assert evidence(found)["phases.train.batch_time_s.slow_total_excess"] == pytest.approx(8.0)


def test_outliers_that_no_line_explains_claim_a_saving_only_where_a_batch_recurs() -> None:
    extra = np.zeros(90)
    extra[[17, 48, 79]] = 2.5
    lines = {"forward": 1 + extra, "metrics": extra}
    found = finding(steady_run(lines, batches=90, batches_a_pass=30), "outlier-batches")
    assert found.estimated_saving_s is None
    assert evidence(found)["series.train.outliers_total_excess"] == pytest.approx(15.0)

    recurring = np.zeros(90)
    recurring[[17, 47, 77]] = 2.5
    lines = {"forward": 1 + recurring, "metrics": recurring}
    found = finding(steady_run(lines, batches=90, batches_a_pass=30), "outlier-batches")
    assert found.estimated_saving_s == pytest.approx(15.0)


def test_one_batch_in_forty_is_an_outlier_and_not_a_tail() -> None:
    measured_run = with_slow_batches(1, 9.0)
    assert findings(measured_run, "tail-latency") == []
    found = finding(measured_run, "outlier-batches")
    assert found.estimated_saving_s == pytest.approx(9.0)
    assert evidence(found)["series.train.epoch_0.batch_42.duration_s"] == pytest.approx(10.0)
    assert evidence(found)["series.train.outliers"] == 1
    assert found.title.endswith("mostly in `metrics`")


def test_batches_that_are_less_than_twice_the_median_are_no_outliers() -> None:
    assert findings(with_slow_batches(1, 0.9), "outlier-batches") == []


def test_many_slow_batches_are_a_tail_and_not_outliers() -> None:
    assert findings(with_slow_batches(8, 9.0), "outlier-batches") == []


def test_a_batch_that_is_slow_in_most_passes_is_pointed_out() -> None:
    extra = np.zeros(90)
    extra[[17, 47, 77]] = 5.0
    found = finding(
        steady_run({"forward": 1 + extra}, batches=90, batches_a_pass=30), "outlier-batches"
    )
    assert "Batch 17 is slow in 3 of 3 passes" in found.advice
    assert "series.train.epoch_2.batch_17.duration_s" in evidence(found)


def test_slow_batches_at_different_places_are_not_said_to_recur() -> None:
    extra = np.zeros(90)
    extra[[17, 48, 79]] = 5.0
    found = finding(
        steady_run({"forward": 1 + extra}, batches=90, batches_a_pass=30), "outlier-batches"
    )
    assert found.advice.startswith("No batch number is slow in most passes")


def test_at_most_five_outliers_are_listed_the_slowest_first() -> None:
    extra = np.zeros(203)
    extra[100:107] = np.arange(3.0, 10.0)
    found = finding(steady_run({"forward": 1 + extra}, batches=203), "outlier-batches")
    listed = [value for name, value in evidence(found).items() if name.endswith("duration_s")]
    assert listed == pytest.approx([10.0, 9.0, 8.0, 7.0, 6.0])


def test_warm_up_batches_are_neither_tail_nor_outliers() -> None:
    slow_start = np.ones(43)
    slow_start[:3] = 100.0
    document = analyze(steady_run({"forward": slow_start}, batches=43))
    assert document.findings == []


def test_a_slower_second_loader_is_not_the_tail_of_the_first() -> None:
    loaders = np.repeat([0, 1], 30)
    forward = np.where(loaders == 1, 5.0, 1.0)
    measured_run = run(
        stage(Stage.VALIDATION, table(60, {"forward": forward}, dataloader_idx=loaders))
    )
    assert findings(measured_run, "tail-latency") == []
    assert findings(measured_run, "outlier-batches") == []


def test_below_twenty_steady_batches_tails_and_outliers_are_not_judged() -> None:
    document = analyze(steady_run({"forward": 1.0}, batches=22))
    assert silent_rules(document)[0] == (
        "not judged: tail-latency, outlier-batches (train has 19 steady batches, 20 needed)"
    )


def over_passes(medians_s: list[float], line: str = "forward") -> Run:
    per_batch = np.repeat(medians_s, 10)
    return steady_run({line: per_batch, "other": 0.0}, batches=len(per_batch), batches_a_pass=10)


def test_batches_that_get_slower_from_pass_to_pass_are_a_trend() -> None:
    found = finding(over_passes([1.0, 1.1, 1.2, 1.3, 1.4, 1.5], line="op:match"), "slowing-down")
    # 10 batches each: 0.1 + 0.2 + … + 0.5 s longer than the first pass'
    assert found.estimated_saving_s == pytest.approx(10 * 1.5)
    assert found.severity == "medium"  # 15 of 75 s is exactly a fifth, less rounding
    assert found.title == "Training batches get slower over the run, mostly in `match`"
    values = evidence(found)
    assert values["phases.train.per_epoch.median_trend_start_s"] == pytest.approx(1.0)
    assert values["phases.train.per_epoch.median_trend_per_pass_s"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    "medians_s",
    [
        [1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        [1.5, 1.4, 1.3, 1.2, 1.1, 1.0],
        [1.0, 1.3, 1.0, 1.2, 0.9, 1.1],
        [1.0, 1.01, 1.02, 1.03, 1.04, 1.05],
    ],
    ids=["even", "faster", "noise", "hardly slower"],
)
def test_other_courses_are_no_trend(medians_s: list[float]) -> None:
    assert findings(over_passes(medians_s), "slowing-down") == []


def test_four_passes_are_too_few_for_a_trend() -> None:
    document = analyze(over_passes([1.0, 2.0, 3.0, 4.0]))
    assert not [found for found in document.findings if found.id.startswith("slowing-down")]
    assert (
        "not judged: slowing-down (train has 4 passes with at least 5 steady batches; "
        "it takes 5 such passes)" in silent_rules(document)
    )
