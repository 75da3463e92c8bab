from __future__ import annotations

from ocr_baseline.model.document import Baseline, Finding, Ratio, TrainVsValidation, WaterfallStep
from ocr_baseline.reports.run.header import verdict
from tests.ocr_baseline.examples import empty_baseline, full_baseline, one_batch_baseline


def with_comparison(
    sample_ratio: Ratio, steps: dict[str, float] | None = None, **update: object
) -> Baseline:
    comparison = TrainVsValidation(
        sample_ratio=sample_ratio,
        waterfall_s_per_sample=[
            WaterfallStep(name=name, delta_s=delta_s) for name, delta_s in (steps or {}).items()
        ],
    )
    return full_baseline().model_copy(update={"train_vs_validation": comparison, **update})


def test_the_verdict_says_what_to_mend_first_then_compares_and_names_the_largest_lines() -> None:
    assert verdict(full_baseline()) == [
        "The metric takes 46% of validation. Mending that would save an estimated 3.75 s (3.50 s "
        "to 4.00 s), 14.0% of the run.",
        "Validation takes 2.8 times as long per sample as training (124 ms vs. 44.1 ms; 95% "
        "interval 2.5 to 3.1); `metrics` accounts for 71.0% of the difference.",
        "The largest line is `backward` in training (44.0% of 11.2 s), `metrics` in validation "
        "(46.0% of 16.3 s).",
    ]


def test_an_interval_around_one_is_not_called_a_difference() -> None:
    document = with_comparison(Ratio(value=1.04, low=0.95, high=1.13), {"metrics": 0.01})
    first = verdict(document)[1]
    assert first.endswith("the interval includes 1, so this run doesn't show which is slower.")
    assert "metrics" not in first


def test_a_step_larger_than_the_whole_difference_is_given_in_seconds() -> None:
    document = with_comparison(Ratio(value=2.8), {"metrics": 0.1, "backward": -0.08})
    assert (
        "; the largest difference in that direction is `metrics` (+100 ms)." in verdict(document)[1]
    )


def test_a_faster_validation_names_what_training_has_and_validation_has_not() -> None:
    document = with_comparison(Ratio(value=0.32), {"metrics": 0.01, "backward": -0.05})
    assert verdict(document)[1].startswith("Validation takes 0.32 times as long")
    assert "`backward` (-50.0 ms)" in verdict(document)[1]


def test_without_validation_nothing_is_compared() -> None:
    sentences = verdict(one_batch_baseline())
    assert sentences[0] == (
        "The run was interrupted after 1.50 s (`KeyboardInterrupt`): the numbers cover what was "
        "recorded until then."
    )
    assert sentences[1] == (
        "Training and validation can't be compared: validation was not measured."
    )


def test_a_run_without_measurements_gets_no_verdict_but_the_reason() -> None:
    assert verdict(empty_baseline()) == [
        "Nothing was measured in this run (not collected: the run logged no key under "
        "`performance/`)."
    ]


def test_a_busy_machine_is_said_before_any_number() -> None:
    busy = Finding(
        id="noisy-machine:load",
        severity="medium",
        title="The times may not repeat: the machine was busy when the run began",
        evidence=[],
        advice="Measure again.",
    )
    document = full_baseline()
    sentences = verdict(document.model_copy(update={"findings": [*document.findings, busy]}))
    assert sentences[0] == "The times may not repeat: the machine was busy when the run began."
    assert sentences[1].startswith("The metric takes 46% of validation.")


def test_small_savings_are_no_headline() -> None:
    document = full_baseline()
    small = [finding for finding in document.findings if finding.is_small]
    sentences = verdict(document.model_copy(update={"findings": small}))
    assert sentences[0] == "Nothing above 2% of the run to fix."


def test_a_ratio_is_no_headline_while_a_stage_has_no_steady_batch() -> None:
    document = full_baseline()
    cold = document.phases[0].model_copy(update={"batch_time_scope": "all batches"})
    sentences = verdict(document.model_copy(update={"phases": [cold, *document.phases[1:]]}))
    assert sentences[1] == (
        "Training and validation don't compare yet: training had no steady batch."
    )
