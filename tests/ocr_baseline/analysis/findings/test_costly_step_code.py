"""What stands in a step itself, and has no function to name it by."""

from __future__ import annotations

import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.run import Run
from tests.ocr_baseline.analysis.builders import evidence, finding, findings, steady_run
from tests.ocr_baseline.analysis.sampled_stacks import CALL, FIT, samples

STEP = f"{FIT} lightning:run user:Net.training_step"
MODEL = f"{STEP} {CALL} user:Net.forward torch:conv2d"
RULE = "costly-step-code"


def stepping(inside: str, ticks: int = 70) -> Run:
    """A step of 80% of the training, `ticks` of 100 samples of it in the stack `inside`."""
    lines = {"forward": {inside: ticks, MODEL: 100 - ticks}}
    return steady_run({"forward": 0.8, "backward": 0.2}, stack_samples=(samples(lines),))


@pytest.mark.parametrize(
    "inside",
    [STEP, f"{STEP} user:Net.training_step.<locals>.<listcomp>", f"{STEP} stdlib:deepcopy"],
    ids=["its own lines", "a comprehension in it", "a library that it calls"],
)
def test_what_a_step_takes_by_itself_leads_the_report(inside: str) -> None:
    [first, *_] = analyze(stepping(inside)).leading_findings
    assert first.id == f"{RULE}:train"
    assert first.title.startswith("`Net.training_step (train.py:17)` takes 56 ± 7% of training")
    assert first.estimated_saving_low_s == 0.0
    assert first.estimated_saving_s == pytest.approx(0.7 * 0.8 * 24)
    assert evidence(first)["phases.train.breakdown.forward.step_code.share"] == pytest.approx(0.7)


@pytest.mark.parametrize(
    "inside",
    [
        MODEL,
        f"{STEP} torch:cross_entropy",
        f"{STEP} lightning:LightningModule.log",
        f"{STEP} user:draw",
        f"{STEP} {CALL} transformers:Attention.forward",
        f"{FIT} lightning:run library:Net.training_step",
    ],
    ids=["the model", "torch", "Lightning", "a function", "a library's module", "a library's step"],
)
def test_what_others_do_in_a_step_is_not_its_own(inside: str) -> None:
    assert findings(stepping(inside), RULE) == []


def test_below_a_fifth_of_the_stage_it_may_be_what_the_step_has_to_compute() -> None:
    assert findings(stepping(STEP, ticks=24), RULE) == []
    assert finding(stepping(STEP, ticks=26), RULE).severity == "medium"


def test_a_function_in_the_step_is_a_cause_beside_its_own_lines() -> None:
    lines = {"forward": {STEP: 40, f"{STEP} user:draw": 40, MODEL: 20}}
    both = steady_run({"forward": 0.8, "backward": 0.2}, stack_samples=(samples(lines),))
    leading = {one.id for one in analyze(both).leading_findings}
    assert leading == {f"{RULE}:train", "dominant-function:train:draw"}


def test_a_library_function_that_holds_most_of_it_is_named() -> None:
    found = finding(stepping(f"{STEP} stdlib:Future.result stdlib:Condition.wait"), RULE)
    assert "beside the model, mostly in `Condition.wait (" in found.title
    assert found.advice.startswith("100% of that is in `Condition.wait (")
    share = evidence(found)[
        "phases.train.breakdown.forward.step_code.functions.Condition.wait.share"
    ]
    assert share == 1.0


@pytest.mark.parametrize("whose", ["user", "library"])
def test_an_import_in_a_step_is_named_and_takes_as_long_elsewhere(whose: str) -> None:
    imported = f"{STEP} stdlib:_find_and_load stdlib:SourceLoader.exec_module {whose}:<module>"
    found = finding(stepping(f"{imported} stdlib:loads"), RULE)

    assert found.title.startswith("`Net.training_step (train.py:17)` takes 56 ± 7% of training")
    assert "beside the model, importing `" in found.title
    assert found.advice.startswith("100% of that is the import of `")
    assert found.estimated_saving_s is None


def test_of_several_library_functions_none_is_named() -> None:
    parts = {f"{STEP} stdlib:{name}": 20 for name in ("deepcopy", "dumps", "loads")}
    run = steady_run(
        {"forward": 0.8, "backward": 0.2},
        stack_samples=(samples({"forward": {**parts, MODEL: 40}}),),
    )
    assert finding(run, RULE).advice.startswith("Look in it for loops")
