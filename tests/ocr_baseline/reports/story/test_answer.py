from __future__ import annotations

import pytest

from ocr_baseline.model.document import (
    Baseline,
    Distribution,
    Finding,
    Ratio,
    TrainVsValidation,
    WaterfallStep,
)
from ocr_baseline.reports.story.parts import Story
from ocr_baseline.reports.story.tell import tell
from tests.ocr_baseline.examples import empty_baseline, full_baseline, one_batch_baseline

BUSY = Finding(
    id="noisy-machine:load",
    severity="medium",
    title="The times may not repeat: the machine was busy when the run began",
    evidence=[],
    advice="Measure again.",
)


def compared(sample_ratio: Ratio, steps: dict[str, float] | None = None, **update: object) -> str:
    comparison = TrainVsValidation(
        sample_ratio=sample_ratio,
        waterfall_s_per_sample=[
            WaterfallStep(name=name, delta_s=delta_s) for name, delta_s in (steps or {}).items()
        ],
    )
    document = full_baseline().model_copy(update={"train_vs_validation": comparison, **update})
    return tell(document).versus.sentence


def with_findings(*findings: Finding) -> Baseline:
    return full_baseline().model_copy(update={"findings": list(findings)})


def finding(id: str, saving_s: float | None, share: float | None, **given: object) -> Finding:
    return Finding.model_validate(
        {
            "id": id,
            "severity": "medium",
            "title": f"Cause {id}",
            "evidence": [],
            "estimated_saving_s": saving_s,
            "share_of_run": share,
            "advice": "Do this. Then do that.",
        }
        | given
    )


def fact(story: Story, key: str) -> str:
    return next(f"{one.text} {one.note}".strip() for one in story.facts if one.key == key)


def test_the_verdict_names_the_first_cause_and_what_it_costs_in_percent_of_the_run() -> None:
    assert tell(full_baseline()).verdict == (
        "The metric takes 46% of validation; fixing it would save 14.0% of the run (3.75 s)."
    )


def test_a_saving_that_can_only_be_smaller_is_told_as_the_most() -> None:
    assert tell(with_findings(finding("a", 4.0, 0.2, saving_is_the_most=True))).verdict == (
        "Cause a; fixing it would save at most 20.0% of the run (4.00 s)."
    )


@pytest.mark.parametrize(
    ("share", "of", "what"),
    [
        (0.55, "phases.train.breakdown.callbacks", "all of it"),
        (0.55, "workers.train", "all of it"),
        (0.98, "phases.train.breakdown.callbacks", "it"),
        (0.55, "phases.train", "it"),
    ],
)
def test_the_saving_of_a_whole_line_is_not_given_as_that_of_a_function_with_a_part_of_it(
    share: float, of: str, what: str
) -> None:
    cause = {"name": "f", "file": "train.py", "line": 4, "of": of}
    cause |= {"share": share, "low": share - 0.01, "high": share + 0.01}
    story = tell(with_findings(finding("a", 4.0, 0.2, cause=cause)))
    assert story.verdict == f"Cause a; fixing {what} would save 20.0% of the run (4.00 s)."


def test_small_savings_are_no_headline_and_the_verdict_says_what_the_run_consists_of() -> None:
    story = tell(with_findings(finding("a", 0.2, 0.007)))
    assert story.verdict == (
        "No fix is known to save more than 2% of the run: 90.0% is before, between and after its "
        "stages."
    )
    assert story.causes == ()
    assert story.small == ("Cause a (200 ms, 0.7% of the run). Do this. Then do that.",)


def test_at_most_three_causes_lead_and_the_others_follow_them() -> None:
    found = [finding(name, 10.0 - index, 0.1) for index, name in enumerate("abcde")]
    story = tell(with_findings(*found))
    assert [cause.title for cause in story.causes] == ["Cause a", "Cause b", "Cause c"]
    assert [sentence.split(" (")[0] for sentence in story.further] == ["Cause d", "Cause e"]


def test_a_cause_in_doubt_beyond_those_three_says_so_too() -> None:
    found = [finding(name, 10.0, 0.1, doubt="the machine was busy") for name in "abcd"]
    assert tell(with_findings(*found)).further == (
        "Cause d (10.0 s, 10.0% of the run). In doubt: the machine was busy. Do this. Then do "
        "that.",
    )


def test_a_cause_has_its_saving_with_its_range_in_seconds_and_shares_and_a_remedy() -> None:
    (cause, *_) = tell(
        with_findings(
            finding("a", 4.0, 0.2, estimated_saving_low_s=3.0, estimated_saving_high_s=5.0)
        )
    ).causes
    saving = cause.saving
    assert saving is not None
    assert (saving.seconds, saving.low_s, saving.high_s) == (4.0, 3.0, 5.0)
    assert (saving.low_share, saving.share_of_run, saving.high_share) == (
        0.15000000000000002,
        0.2,
        0.25,
    )
    assert cause.remedy == "Do this."


def test_the_share_of_a_sampled_function_is_told_of_what_it_is_a_share_of() -> None:
    def proof(of: str) -> str:
        cause = {"name": "f", "file": "a.py", "line": 1, "share": 0.16, "low": 0.12, "high": 0.2}
        sampled = finding("x", 1.0, 0.1, cause=cause | {"of": of})
        return next(one.proof for one in tell(with_findings(sampled)).causes)

    assert proof("phases.validation.breakdown.forward").endswith("is in 16 ± 4% of its line.")
    assert proof("phases.validation").endswith("is in 16 ± 4% of validation.")
    assert proof("workers.train").endswith("is in 16 ± 4% of the workers' time.")


def test_a_cause_without_a_saving_leads_when_it_is_grave_and_is_small_when_it_is_not() -> None:
    story = tell(
        with_findings(
            finding("grave", None, None, severity="high"),
            finding("note", None, None, severity="low"),
        )
    )
    assert [cause.title for cause in story.causes] == ["Cause grave"]
    assert story.verdict == ("Cause grave; no fix is known to save more than 2% of the run.")
    assert len(story.small) == 1


def test_what_is_in_doubt_comes_behind_that_nothing_is_certain() -> None:
    story = tell(with_findings(finding("a", 4.0, 0.2, doubt="the machine was busy")))
    assert story.verdict == (
        "No fix is certain to save more than 2% of the run: 90.0% is before, between and after its "
        "stages; in doubt: Cause a; fixing it would save 20.0% of the run (4.00 s)."
    )
    assert story.causes[0].certainty == "in doubt"
    assert story.causes[0].proof == "In doubt: the machine was busy."


def test_what_is_in_doubt_comes_behind_a_grave_cause_that_saves_no_time() -> None:
    grave = finding("grave", None, None, severity="high")
    doubtful = finding("a", 4.0, 0.2, doubt="the machine was busy")
    assert tell(with_findings(doubtful, grave)).verdict == (
        "Cause grave; no fix is known to save more than 2% of the run; in doubt: Cause a; fixing "
        "it would save 20.0% of the run (4.00 s)."
    )


def test_what_is_certain_leads_even_where_it_saves_less_than_what_is_in_doubt() -> None:
    doubtful = finding("a", 4.0, 0.2, doubt="the machine was busy")
    story = tell(with_findings(doubtful, finding("b", 1.0, 0.05)))
    assert story.verdict == "Cause b; fixing it would save 5.0% of the run (1.00 s)."
    assert [cause.title for cause in story.causes] == ["Cause b", "Cause a"]


def test_a_busy_machine_limits_the_answer_and_is_no_cause() -> None:
    story = tell(with_findings(finding("tail-latency", 4.0, 0.2), BUSY))
    assert [limit.text for limit in story.limits if limit.kind == "machine"] == [
        "The times may not repeat: the machine was busy when the run began."
    ]
    assert [cause.title for cause in story.causes] == ["Cause tail-latency"]
    assert not any("busy" in sentence for sentence in story.small)


def test_too_few_steady_batches_limit_the_answer() -> None:
    document = full_baseline()
    few = document.phases[0].model_copy(update={"batch_time_s": Distribution(count=3, mean=0.1)})
    limits = tell(document.model_copy(update={"phases": [few, *document.phases[1:]]})).limits
    assert [limit.text for limit in limits if limit.kind == "batches"] == [
        "Training has only 3 steady batches: it takes 5 to judge."
    ]


def test_a_run_that_did_not_finish_says_what_its_numbers_cover() -> None:
    story = tell(one_batch_baseline())
    assert story.limits[0].text == (
        "The run was interrupted after 1.50 s (`KeyboardInterrupt`). The numbers cover what was "
        "recorded until then."
    )
    assert story.limits[1].text == (
        "Training has no steady batch: its times include starting up (1 batch recorded)."
    )
    assert story.versus.sentence == (
        "Training and validation can't be compared: validation was not measured."
    )


def test_a_run_without_measurements_gets_no_verdict_but_the_reason() -> None:
    assert tell(empty_baseline()).verdict == (
        "Nothing was measured in this run (not collected: the run logged no key under "
        "`performance/`)."
    )


def test_the_comparison_gives_both_times_the_interval_and_what_accounts_for_most() -> None:
    assert tell(full_baseline()).versus.sentence == (
        "Validation takes 2.8 times as long per sample as training (124 ms vs. 44.1 ms; 95% "
        "interval 2.5 to 3.1); `metrics` accounts for 71.0% of the difference."
    )


def test_an_interval_around_one_is_not_called_a_difference() -> None:
    sentence = compared(Ratio(value=1.04, low=0.95, high=1.13), {"metrics": 0.01})
    assert sentence.endswith("the interval includes 1, so this run doesn't show which is slower.")
    assert "metrics" not in sentence


def test_a_step_larger_than_the_whole_difference_is_given_in_seconds() -> None:
    sentence = compared(Ratio(value=2.8), {"metrics": 0.1, "backward": -0.08})
    assert "; the largest difference in that direction is `metrics` (+100 ms)." in sentence


def test_a_faster_validation_names_what_training_has_and_validation_has_not() -> None:
    sentence = compared(Ratio(value=0.32), {"metrics": 0.01, "backward": -0.05})
    assert sentence.startswith("Validation takes 0.32 times as long")
    assert "`backward` (-50.0 ms)" in sentence


def test_a_ratio_is_no_headline_while_a_stage_has_no_steady_batch() -> None:
    document = full_baseline()
    cold = document.phases[0].model_copy(update={"batch_time_scope": "all batches"})
    story = tell(document.model_copy(update={"phases": [cold, *document.phases[1:]]}))
    assert story.versus.ratio is None
    assert story.versus.sentence == (
        "Training and validation don't compare yet: training had no steady batch."
    )


def test_the_facts_beside_the_answer_hold_their_interval_whole_or_reason() -> None:
    story = tell(full_baseline())
    assert fact(story, "validation_vs_training") == "2.8x 95% interval 2.5 to 3.1"
    assert fact(story, "waited_for_data") == "13.1% 1.47 s of 11.2 s"
    assert fact(story, "peak_memory") == "2.30 GiB of 8.00 GiB that the run may use"
    missing = tell(empty_baseline())
    assert fact(missing, "throughput") == (
        "not measured not collected: the run logged no key under `performance/`"
    )


def test_sections_are_told_apart_by_their_keys() -> None:
    keys = [section.key for section in tell(full_baseline()).sections]
    assert len(set(keys)) == len(keys)
    assert keys[:3] == ["validation", "phases", "memory"]
