"""Verdicts on two sides of runs, as the command line and a gate see them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from ocr_baseline.comparison.calibration import calibrate
from ocr_baseline.comparison.comparison import Comparison, MetricComparison, compare
from ocr_baseline.comparison.options import Margin, Options
from ocr_baseline.comparison.summary import RunSummary, summarize
from ocr_baseline.errors import ComparisonError
from ocr_baseline.model.document import Distribution, Measurement
from tests.ocr_baseline.comparison.measured_runs import CONFIG, IDENTITY, baseline, run, runs


def metric(comparison: Comparison, key: str = "train.batch_time") -> MetricComparison:
    return next(found for found in comparison.metrics if found.metric.key == key)


def test_five_against_five_confirm_a_tenth_slower() -> None:
    found = metric(compare(runs(5), runs(5, slower=0.1, first=10)))
    assert (found.verdict, found.method) == ("regression", "between runs")
    assert found.change == pytest.approx(0.1, abs=0.005)
    assert found.low is not None
    assert found.high is not None
    assert 0.0 < found.low < 0.1 < found.high


def test_a_higher_throughput_is_an_improvement_and_a_lower_one_a_regression() -> None:
    faster = compare(runs(5), runs(5, slower=-0.1, first=10))
    assert metric(faster, "train.throughput").verdict == "improvement"
    assert metric(faster).verdict == "improvement"
    slower = compare(runs(5), runs(5, slower=0.12, first=10))
    assert metric(slower, "train.throughput").verdict == "regression"


def test_equal_sets_are_unchanged_when_their_interval_is_narrow() -> None:
    found = metric(compare(runs(8, spread=0.01), runs(8, spread=0.01, first=10)))
    assert found.verdict == "unchanged"


def test_equal_sets_are_inconclusive_when_they_spread_and_say_how_many_runs_to_make() -> None:
    found = metric(compare(runs(5, spread=0.08), runs(5, spread=0.08, first=10)))
    assert found.verdict == "inconclusive"
    assert found.judgement.needed_runs is not None
    assert found.judgement.needed_runs > 20
    assert not found.judgement.is_out_of_reach


def test_a_spread_that_no_number_of_runs_makes_up_for_is_said_so() -> None:
    found = metric(compare(runs(5, spread=0.5), runs(5, spread=0.5, first=10)))
    assert (found.verdict, found.judgement.needed_runs) == ("inconclusive", None)
    assert found.judgement.is_out_of_reach


def test_a_change_that_may_be_within_the_margin_is_suspected() -> None:
    found = metric(compare(runs(5), runs(5, slower=0.04, first=10)))
    assert found.verdict == "suspected"
    assert found.judgement.is_settled


def test_one_against_one_never_goes_beyond_suspected() -> None:
    blocks = {"train": (0.1, 0.101, 0.1, 0.099)}
    slow_blocks = {"train": (0.2, 0.201, 0.2, 0.199)}
    before = replace(run(0), block_means_s=blocks)
    after = replace(run(1, factor=2.0), block_means_s=slow_blocks)
    comparison = compare([before], [after])
    found = metric(comparison)
    assert (comparison.design, found.verdict) == ("one against one", "suspected")
    assert found.is_descriptive
    assert found.low is not None
    assert found.low > 0.9
    assert not found.judgement.is_settled
    assert found.judgement.needed_runs is None
    assert "5 v 5" in found.judgement.reason


def test_one_against_one_without_batches_has_no_interval() -> None:
    found = metric(compare([run(0)], [run(1, factor=2.0)]))
    assert (found.verdict, found.low, found.high) == ("inconclusive", None, None)
    assert found.change == pytest.approx(1.0)


def test_four_a_side_are_too_few_however_clear_the_change() -> None:
    found = metric(compare(runs(4), runs(4, slower=0.5, first=10)))
    assert found.verdict == "suspected"
    assert not found.judgement.is_settled


def test_a_calibration_confirms_one_against_one() -> None:
    options = Options(calibration=calibrate(runs(10)))
    found = metric(compare([run(20)], [run(21, factor=1.2)], options))
    assert (found.verdict, found.method) == ("regression", "between runs")
    # t(0.975, 9) * 0.02 * sqrt(2) on the logarithms
    assert found.low == pytest.approx(math.expm1(math.log(1.2) - 2.2622 * 0.02 * 2**0.5), abs=1e-4)


def test_a_calibration_of_another_machine_is_not_used_and_said_so() -> None:
    other = [run(i, factor=1 + i / 100, identity={**IDENTITY, "cpu_count": 64}) for i in range(8)]
    comparison = compare([run(20)], [run(21)], Options(calibration=calibrate(other)))
    assert metric(comparison).verdict == "inconclusive"
    assert any("calibration" in note for note in comparison.notes)


def test_a_calibration_narrows_sets_that_spread_no_more_than_it_did() -> None:
    options = Options(calibration=calibrate(runs(10)))
    sides = runs(5, first=20), runs(5, slower=0.08, first=30)
    alone, together = metric(compare(*sides)), metric(compare(*sides, options))
    assert None not in (alone.low, alone.high, together.low, together.high)
    assert (together.high or 0) - (together.low or 0) < (alone.high or 0) - (alone.low or 0)


def test_sets_that_spread_more_than_the_calibration_stand_alone() -> None:
    options = Options(calibration=calibrate(runs(10, spread=0.002)))
    sides = runs(5, first=20), runs(5, first=30)
    alone, together = metric(compare(*sides)), metric(compare(*sides, options))
    assert (together.low, together.high) == (alone.low, alone.high)


def test_a_history_of_eight_judges_one_run() -> None:
    history = runs(12, spread=0.01)
    good = compare(history, [run(50, factor=1.01, rss_bytes=None)])
    bad = compare(history, [run(50, factor=1.09, rss_bytes=None)])
    assert good.design == "against a history"
    assert metric(good).verdict in ("unchanged", "suspected")
    assert metric(bad).verdict == "regression"


def test_a_noisy_history_widens_the_threshold_beyond_the_margin() -> None:
    found = metric(compare(runs(12, spread=0.04), [run(50, factor=1.09, rss_bytes=None)]))
    assert found.verdict == "inconclusive"


def test_only_the_latest_forty_sittings_of_a_history_count() -> None:
    comparison = compare(runs(60), [run(99, rss_bytes=None)])
    assert len(comparison.base.runs) == 40
    assert any("40 of 60" in note for note in comparison.notes)


def test_an_accepted_change_resets_the_mean_and_keeps_the_spread() -> None:
    old = runs(10)
    accepted = replace(run(30, factor=1.3, rss_bytes=None), is_accepted_change=True)
    new = run(40, factor=1.31, rss_bytes=None)
    found = metric(compare([*old, accepted], [new]))
    assert found.base == pytest.approx(0.13)
    assert found.verdict != "regression"
    slow = run(41, factor=1.5, rss_bytes=None)
    assert metric(compare([*old, accepted], [slow])).verdict == "regression"


def test_paired_runs_cancel_what_both_of_a_pair_share() -> None:
    drift = [1 + 0.1 * i for i in range(6)]
    before = [run(i, factor=drift[i], rss_bytes=None) for i in range(6)]
    ratios = [1.099, 1.101, 1.1, 1.098, 1.102, 1.1]
    after = [run(10 + i, factor=drift[i] * ratios[i], rss_bytes=None) for i in range(6)]
    assert metric(compare(before, after)).verdict == "inconclusive"
    paired = metric(compare(before, after, Options(is_paired=True)))
    assert (paired.verdict, paired.method) == ("regression", "in turns")


def test_paired_sides_of_different_sizes_are_refused() -> None:
    with pytest.raises(ComparisonError, match="as many on each side"):
        compare(runs(5), runs(6, first=10), Options(is_paired=True))


def test_one_odd_run_does_not_make_a_regression() -> None:
    slow = [run(10 + i, factor=1.0, rss_bytes=None) for i in range(4)]
    odd = run(19, factor=3.0, rss_bytes=None)
    assert metric(compare(runs(5), [*slow, odd])).verdict in ("inconclusive", "suspected")


def test_a_metric_missing_on_one_side_is_reported_and_never_zero() -> None:
    found = metric(compare([run(0)], [run(1, rss_bytes=None)]), "memory.peak_rss")
    assert (found.verdict, found.new, found.change) == ("incomparable", None, None)
    assert found.judgement.reason == "not measured in the new runs"
    assert not found.judgement.is_settled


def test_a_metric_missing_in_some_runs_says_in_how_many_it_was_measured() -> None:
    before = [run(i) for i in range(6)]
    after = [run(10 + i, rss_bytes=1e9 if i else None) for i in range(6)]
    found = metric(compare(before, after), "memory.peak_rss")
    assert len(found.new_values) == 5
    assert "5 of 6" in found.judgement.reason


def test_a_metric_missing_on_both_sides_is_named() -> None:
    comparison = compare([run(0)], [run(1)])
    assert "memory.accelerator_allocated" in comparison.not_measured
    assert all(found.metric.key != "memory.accelerator_allocated" for found in comparison.metrics)


def test_another_machine_is_incomparable_and_the_field_is_named_first() -> None:
    other = run(1, identity={**IDENTITY, "torch": "2.15.0"}, config={**CONFIG, "task_name": "x"})
    comparison = compare([run(0)], [other])
    assert {found.verdict for found in comparison.metrics} == {"incomparable"}
    assert comparison.differences[0].field == "torch"
    assert [difference.field for difference in comparison.obstacles] == ["torch"]


def test_a_field_of_the_machine_that_one_side_does_not_tell_is_listed_and_does_not_forbid() -> None:
    untold = {name: value for name, value in IDENTITY.items() if name != "torch"}
    comparison = compare([run(0)], [run(1, identity=untold)])
    assert [(found.field, found.new) for found in comparison.differences] == [("torch", None)]
    assert comparison.obstacles == ()


def test_another_machine_within_one_side_is_incomparable_too() -> None:
    odd = run(2, identity={**IDENTITY, "cpu_count": 64})
    comparison = compare([run(0), odd], [run(1)])
    assert [d.run for d in comparison.obstacles] == ["run-2"]


def test_a_field_that_differs_on_purpose_is_listed_and_does_not_forbid() -> None:
    changed = {
        "identity": {**IDENTITY, "num_workers": 4},
        "config": {**CONFIG, "data": {"batch_size": 4, "num_workers": 4}},
    }
    sides = [run(0)], [run(1, **changed)]
    assert len(compare(*sides).obstacles) == 2
    comparison = compare(*sides, Options(across=("num_workers",)))
    assert comparison.obstacles == ()
    assert len(comparison.differences) == 2


def of_two_loaders(number: int, *medians_s: float) -> RunSummary:
    """A run whose validation reads two loaders; the median over both is one's or the other's."""
    (whole,) = baseline(number, phases=["validation"]).phases
    parts = [
        whole.model_copy(
            update={"dataloader": index, "batch_time_s": Distribution(count=50, median=median_s)}
        )
        for index, median_s in enumerate(medians_s)
    ]
    mixed = Distribution(count=100, median=medians_s[number % 2])
    whole = whole.model_copy(update={"batch_time_s": mixed})
    return summarize(baseline(number).model_copy(update={"phases": [whole, *parts]}))


def test_with_several_loaders_a_slower_one_is_found_and_equal_ones_are_unchanged() -> None:
    def side(first: int, *medians_s: float) -> list[RunSummary]:
        return [of_two_loaders(first + i, *medians_s) for i in range(5)]

    before = side(0, 0.04, 0.08)
    equal = metric(compare(before, side(10, 0.04, 0.08)), "validation.batch_time")
    slower = metric(compare(before, side(10, 0.06, 0.08)), "validation.batch_time")
    assert (equal.verdict, slower.verdict) == ("unchanged", "regression")
    assert slower.change == pytest.approx(1.5**0.5 - 1)


def test_a_loader_whose_batches_were_not_timed_leaves_the_metric_unmeasured() -> None:
    timed = of_two_loaders(0, 0.04, 0.08)
    (whole, first, second) = baseline(1).phases * 3
    without = [
        whole,
        first.model_copy(update={"dataloader": 0}),
        second.model_copy(update={"dataloader": 1, "batch_time_s": None}),
    ]
    untimed = summarize(baseline(1).model_copy(update={"phases": without}))
    assert "validation.batch_time" in timed.values
    assert "train.batch_time" not in untimed.values


def test_other_work_is_incomparable() -> None:
    other = baseline(1)
    phase = other.phases[0].model_copy(update={"samples": 800})
    comparison = compare([run(0)], [summarize(other.model_copy(update={"phases": [phase]}))])
    assert [d.field for d in comparison.obstacles] == ["train.samples_per_epoch"]


def test_a_newer_minor_schema_is_noted_and_a_newer_major_one_incomparable() -> None:
    minor = replace(run(1), schema_version="1.3")
    major = replace(run(1), schema_version="2.0")
    assert compare([run(0)], [minor]).obstacles == ()
    assert [d.field for d in compare([run(0)], [major]).obstacles] == ["schema_version"]


def test_batches_that_are_chosen_differently_make_their_times_incomparable() -> None:
    logged = replace(run(1), scopes={"train": "last logged epoch"})
    comparison = compare([run(0)], [logged])
    assert metric(comparison).verdict == "incomparable"
    assert "last logged epoch" in metric(comparison).judgement.reason
    assert metric(comparison, "train.sample_time").verdict == "inconclusive"


def test_times_of_different_clocks_are_incomparable() -> None:
    before, after = (
        run(number, measurement=Measurement(clock=clock))
        for number, clock in enumerate(("host", "CUDA events"))
    )
    comparison = compare([before], [after])
    assert "different clocks" in metric(comparison).judgement.reason
    assert metric(comparison, "memory.peak_rss").verdict == "inconclusive"


def test_a_time_of_zero_is_incomparable() -> None:
    zero = replace(run(1), values={**run(1).values, "train.batch_time": 0.0})
    found = metric(compare([run(0)], [zero]))
    assert (found.verdict, found.judgement.is_settled) == ("incomparable", False)
    assert "0" in found.judgement.reason


def test_a_negative_time_is_refused_with_the_run_named() -> None:
    with pytest.raises(ComparisonError, match=r"run-7: train\.batch_time is -0\.1 s"):
        run(7, factor=-1.0)


def test_an_empty_side_is_refused() -> None:
    with pytest.raises(ComparisonError, match="the base side is empty"):
        compare([], [run(0)])
    with pytest.raises(ComparisonError, match="the new side is empty"):
        compare([run(0)], [])


def test_runs_without_any_spread_still_get_a_verdict() -> None:
    before = [run(i) for i in range(5)]
    same = metric(compare(before, [run(10 + i) for i in range(5)]))
    assert (same.verdict, same.change) == ("unchanged", 0.0)
    slower = metric(compare(before, [run(10 + i, factor=1.2) for i in range(5)]))
    assert slower.verdict == "regression"
    history = [run(i) for i in range(10)]
    assert metric(compare(history, [run(20)])).verdict == "unchanged"


def test_a_copy_of_a_run_counts_once() -> None:
    comparison = compare([run(0), run(0), run(1)], [run(2)])
    assert len(comparison.base.runs) == 2
    assert any("copy" in note for note in comparison.notes)


def test_a_run_on_both_sides_is_refused() -> None:
    with pytest.raises(ComparisonError, match="run-0 is on both sides"):
        compare([run(0), run(1)], [run(0)])


def test_a_margin_is_what_a_change_must_clear() -> None:
    sides = runs(5), runs(5, slower=0.1, first=10)
    wide = compare(*sides, Options(margins={"batch_time": Margin(relative=0.2)}))
    assert metric(wide).verdict == "unchanged"
    absolute = compare(*sides, Options(margins={"batch_time": Margin(absolute=0.05, unit="s")}))
    assert metric(absolute).verdict == "unchanged"


def test_many_gated_metrics_must_clear_an_adjusted_level() -> None:
    gates = ("train.*", "memory.*")
    sides = runs(5, spread=0.03), runs(5, slower=0.0, first=10, spread=0.03)
    comparison = compare(*sides, Options(gates=gates, margins={"*": Margin(relative=0.0)}))
    assert comparison.with_verdict("regression") == ()


def test_a_deterministic_count_needs_no_spread() -> None:
    before, after = run(0), run(1)
    key = "memory.accelerator_ooms"
    more = replace(after, values={**after.values, key: 2.0})
    none = replace(before, values={**before.values, key: 0.0})
    assert metric(compare([none], [more]), key).verdict == "regression"
    same = replace(after, values={**after.values, key: 0.0})
    assert metric(compare([none], [same]), key).verdict == "unchanged"


def test_a_busy_machine_is_said_once_with_the_runs_that_it_is_about() -> None:
    quiet = [run(i, volatile={"load_avg_1min": 0.2}) for i in range(2)]
    busy = [run(i, volatile={"load_avg_1min": i / 2}) for i in range(3, 7)]
    (note,) = compare(quiet, busy).notes
    assert note.startswith("the machine was busy when run-3, run-4, run-5 and 1 more began")
    assert "up to 1.50 on each processor" in note
    assert compare(quiet[:1], quiet[1:]).notes == ()


def test_a_warning_of_several_runs_is_said_once() -> None:
    lossy = Measurement(warnings=["3 records were lost"])
    warned = [run(i, measurement=lossy) for i in (1, 2)]
    stopped = run(3, status="interrupted")
    assert compare([run(0)], [*warned, stopped]).notes == (
        "run-1, run-2: 3 records were lost",
        "run-3: interrupted; totals are of a part of the run",
    )


def test_memory_of_a_device_that_no_machine_has_is_not_called_unmeasured() -> None:
    def not_measured(*accelerators: str) -> set[str]:
        base, new = (
            run(i, identity={**IDENTITY, "accelerator": name})
            for i, name in enumerate(accelerators)
        )
        return {key for key in compare([base], [new]).not_measured if "accelerator" in key}

    assert not_measured("cpu", "cpu") == set()
    assert len(not_measured("cpu", "cuda")) == len(not_measured("cuda", "cuda")) == 4


def test_an_unknown_environment_is_said_so() -> None:
    bare = run(1, identity={})
    comparison = compare([run(0)], [bare])
    assert comparison.obstacles == ()
    assert any("environment" in note for note in comparison.notes)
