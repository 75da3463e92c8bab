from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.document import Finding
from ocr_baseline.model.run import Run
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import (
    evidence,
    finding,
    findings,
    loaded_run,
    operation,
    run,
    silent_rules,
    stage,
    steady_run,
    table,
    with_environment,
)
from tests.ocr_baseline.analysis.sampled_stacks import CALL, FIT, samples

STEP = f"{FIT} lightning:run user:Net.training_step"
MODEL = f"{STEP} {CALL} user:Net.forward torch:conv2d"
RULE = "dominant-function"


def read_in_main() -> Run:
    loader = f"{FIT} loader:_SingleProcessDataLoaderIter._next_data"
    lines = {"data_wait": {f"{loader} user:Data.__getitem__ user:blur": 71, loader: 29}}
    return steady_run({"forward": 0.75, "data_wait": 0.25}, stack_samples=(samples(lines),))


def drawing(share: float, *, line_share: float = 0.8, ticks: int = 1000) -> Run:
    drawn = round(share * ticks)
    lines = {"forward": {f"{STEP} user:draw": drawn, MODEL: ticks - drawn}}
    return steady_run(
        {"forward": line_share, "backward": 1 - line_share}, stack_samples=(samples(lines),)
    )


def leading(measured_run: Run) -> list[str]:
    return [found.id for found in analyze(measured_run).leading_findings]


def followers(measured_run: Run, leader: str) -> list[str]:
    document = analyze(measured_run)
    [found] = [one for one in document.leading_findings if one.id == leader]
    return [one.id for one in document.shared_findings(found)]


def test_a_finding_about_a_line_is_named_by_the_function_that_its_time_is_in() -> None:
    found = finding(read_in_main(), "input-bound")
    assert found.title == "Training waits for data: `blur (train.py:4)` takes 71 ± 9% of it"
    assert found.cause is not None
    assert (found.cause.name, found.cause.of) == ("blur", "phases.train.breakdown.data_wait")
    assert (
        evidence(found)["phases.train.breakdown.data_wait.functions.blur.inclusive_share"] == 0.71
    )
    assert found.advice == (
        "The loader has no workers: set num_workers above 0, or make a batch cheaper. Begin with "
        "`blur (train.py:4)`."
    )


def test_workers_for_an_iterable_dataset_come_with_what_it_has_to_do_for_them() -> None:
    fetch = (
        f"{FIT} loader:_SingleProcessDataLoaderIter._next_data fetch:_IterableDatasetFetcher.fetch"
    )
    lines = {"data_wait": {f"{fetch} user:Events.__iter__ user:parse": 90}}
    streamed = steady_run({"forward": 0.5, "data_wait": 0.5}, stack_samples=(samples(lines),))
    assert "get_worker_info()" in finding(streamed, "input-bound").advice
    assert "get_worker_info" not in finding(read_in_main(), "input-bound").advice


@pytest.mark.parametrize(("function", "is_the_most"), [("torch:adam", True), ("user:clip", False)])
def test_only_the_users_own_code_can_leave_the_optimizers_line_as_a_whole(
    function: str, is_the_most: bool
) -> None:
    stacks = samples({"optimizer": {f"{FIT} {function}": 90}})
    found = finding(
        steady_run({"forward": 0.5, "optimizer": 0.5}, stack_samples=(stacks,)), "heavy-optimizer"
    )
    assert found.cause is not None
    assert found.saving_is_the_most is is_the_most


@pytest.mark.parametrize(
    ("line", "named", "generic"),
    [("optimizer", "heavy-optimizer", "fused"), ("transfer", "transfer-bound", "pin_memory")],
)
def test_advice_about_torchs_own_work_is_not_given_to_the_users_code(
    line: str, named: str, generic: str
) -> None:
    def advice(function: str) -> str:
        stacks = samples({line: {f"{FIT} {function}": 90}})
        return finding(
            steady_run({"forward": 0.5, line: 0.5}, stack_samples=(stacks,)), named
        ).advice

    assert generic in advice("torch:work")
    assert generic not in advice("user:clip")
    assert advice("user:clip").endswith("Begin with `clip (train.py:4)`.")


def test_a_wait_for_workers_is_named_by_what_they_do() -> None:
    begin = f"{FIT} worker:_worker_loop"
    made = samples({"fetch": {f"{begin} user:blur": 80, begin: 20}}, process="worker")
    waited = samples({"data_wait": {f"{FIT} user:progress": 90}})
    measured_run = loaded_run(
        making_s=[0.4] * 30, main_s=0.1, workers=1, stack_samples=(made, waited)
    )
    found = finding(measured_run, "input-bound")
    assert found.title == (
        "Training waits for data: `blur (train.py:4)` takes 80 ± 8% of the workers' time"
    )
    [workers] = analyze(measured_run).workers
    assert [one.name for one in workers.functions] == ["blur"]


def test_a_wait_is_named_by_a_transform_that_is_a_torch_module() -> None:
    item = f"{FIT} loader:_SingleProcessDataLoaderIter._next_data fetch:fetch {CALL}"
    lines = {"data_wait": {f"{item} user:Blur.forward": 90}}
    waiting = steady_run({"forward": 0.5, "data_wait": 0.5}, stack_samples=(samples(lines),))
    assert "`Blur.forward (train.py:12)` takes 100" in finding(waiting, "input-bound").title


def test_advice_to_add_sections_is_given_only_where_no_function_is_named() -> None:
    lines = {"metrics": {f"{FIT} user:iou": 60}}
    unnamed = steady_run({"forward": 0.5, "metrics": 0.5})
    named = replace(unnamed, stack_samples=(samples(lines),))
    assert "Sections" in finding(unnamed, "heavy-metrics").advice
    assert "Sections" not in finding(named, "heavy-metrics").advice


def test_a_function_of_a_tenth_of_the_stage_is_found_inside_the_models_own_line() -> None:
    assert findings(drawing(0.12), RULE) == []
    found = finding(drawing(0.5), RULE)
    assert (found.id, found.severity) == (f"{RULE}:train:draw", "high")
    assert found.title == "`draw (train.py:4)` takes 40 ± 2% of training"
    assert finding(drawing(0.2), RULE).severity == "medium"


def test_taking_a_function_out_saves_its_share_of_the_line_within_the_samples_margin() -> None:
    found = finding(drawing(0.5), RULE)
    assert found.estimated_saving_s == pytest.approx(0.5 * 0.8 * 24)
    assert found.cause is not None
    assert found.cause.low == pytest.approx(0.469 * 0.8, abs=0.001)
    assert found.cause.high == pytest.approx(0.531 * 0.8, abs=0.001)
    left_s = 24 * (1 - 0.4)
    assert found.estimated_saving_low_s == pytest.approx(24 * found.cause.low - 0.1 * left_s)
    assert found.estimated_saving_high_s == pytest.approx(
        24 * found.cause.high + 0.1 * left_s + 0.3 * 24 * 0.4
    )


def test_a_model_without_anything_beside_it_has_no_finding() -> None:
    assert analyze(drawing(0.0)).findings == []


def test_too_few_samples_name_nothing() -> None:
    assert findings(drawing(0.5, ticks=28), RULE) == []


def test_a_function_of_a_short_stage_is_not_judged() -> None:
    short = replace(drawing(0.5), stages=steady_run({"forward": 1.0}, batches=4).stages)
    assert findings(short, RULE) == []
    assert any(RULE in note for note in silent_rules(analyze(short)))


def test_a_function_of_a_stage_that_is_nothing_in_the_run_is_not_looked_for() -> None:
    long_run = replace(drawing(0.5), info=replace(drawing(0.5).info, duration_s=24 / 0.019))
    assert findings(long_run, RULE) == []


def test_a_line_that_has_a_finding_is_named_there_and_not_twice() -> None:
    lines = {"module_hooks": {f"{FIT} user:Net.on_train_batch_end user:draw": 90}}
    measured_run = steady_run(
        {"forward": 0.5, "module_hooks": 0.5}, stack_samples=(samples(lines),)
    )
    assert leading(measured_run) == ["heavy-module-hooks:train"]


def slow_validation() -> Run:
    step = STEP.replace("training", "validation")
    lines = {"forward": {f"{step} user:draw": 90, f"{step} torch:linear": 10}}
    return run(
        stage(Stage.TRAIN, table(24, {"forward": 0.1})),
        stage(Stage.VALIDATION, table(24, {"forward": 1.0}, begin_s=3.0)),
        stack_samples=(samples(lines, which=Stage.VALIDATION),),
    )


def test_what_makes_validation_slower_leads_it() -> None:
    assert leading(slow_validation()) == [f"{RULE}:validation:draw"]
    assert followers(slow_validation(), f"{RULE}:validation:draw") == ["validation-slower"]


def test_what_explains_little_of_the_same_seconds_does_not_lead() -> None:
    step = STEP.replace("training", "validation")
    lines = {"forward": {f"{step} user:draw": 20, f"{step} torch:linear": 80}}
    measured_run = replace(
        slow_validation(), stack_samples=(samples(lines, which=Stage.VALIDATION),)
    )
    assert followers(measured_run, "validation-slower") == [f"{RULE}:validation:draw"]


def test_findings_about_one_wait_are_one_led_by_the_operation_timed_in_the_workers() -> None:
    measured_run = with_environment(
        loaded_run(making_s=[3.0] * 30, main_s=2.0, workers=1, operation_share=0.5), cpu_count=8
    )
    assert leading(measured_run) == ["worker-operation:train:decode"]
    assert followers(measured_run, "worker-operation:train:decode") == [
        "input-bound:train",
        "too-few-workers:train",
    ]


def test_two_functions_of_one_line_are_two_causes() -> None:
    lines = {"forward": {f"{STEP} user:draw": 40, f"{STEP} user:sort": 30, MODEL: 30}}
    measured_run = steady_run({"forward": 1.0}, stack_samples=(samples(lines),))
    assert leading(measured_run) == [f"{RULE}:train:draw", f"{RULE}:train:sort"]


def test_what_saves_under_two_percent_of_the_run_is_small_and_comes_last() -> None:
    measured_run = run(
        stage(Stage.TRAIN, table(24, {"forward": 10.0})),
        stage(Stage.VALIDATION, table(24, {"forward": 0.1, "metrics": 0.1}, begin_s=240.0)),
    )
    found = finding(measured_run, "heavy-metrics")
    assert found.is_small
    assert found.severity == "low"
    assert found.share_of_run == pytest.approx(2.4 / 244.8)
    assert not finding(slow_validation(), RULE).is_small


def slow_batches(**fields: Any) -> Run:
    times = [0.1] * 40
    times[20:24] = [0.9] * 4
    return with_environment(
        steady_run({"forward": times}, batches=40, **fields), cpu_count=2, accelerator="cpu"
    )


def test_slow_batches_on_a_busy_machine_are_doubtful_and_come_after_what_is_certain() -> None:
    def tail(measured_run: Run) -> Finding:
        return finding(measured_run, "tail-latency")

    assert tail(slow_batches()).doubt is None
    busy = slow_batches(environment_volatile={"load_avg_1min": 8.0})
    assert tail(busy).doubt is not None
    assert analyze(busy).findings[0].id == "noisy-machine:load"


def test_a_validation_in_smaller_batches_is_named_by_their_size() -> None:
    measured_run = run(
        stage(Stage.TRAIN, table(24, {"forward": 0.4}, samples=64)),
        stage(Stage.VALIDATION, table(240, {"forward": 0.1}, samples=1, begin_s=10.0)),
    )
    found = finding(measured_run, "validation-slower")
    assert found.title.endswith("validation runs in batches of 1, training in batches of 64")
    assert found.advice.startswith("Give the validation loader training's batch size.")
    assert evidence(found)["phases.validation.samples_per_batch"] == 1.0


def test_batches_of_another_size_are_no_cause_where_a_batch_itself_takes_longer() -> None:
    measured_run = run(
        stage(Stage.TRAIN, table(24, {"forward": 0.1}, samples=4)),
        stage(Stage.VALIDATION, table(24, {"forward": 1.0}, samples=2, begin_s=10.0)),
    )
    assert "runs in batches of" not in finding(measured_run, "validation-slower").title


def test_naming_an_operation_of_the_loader_hides_neither_the_wait_nor_its_remedy() -> None:
    loader = f"{FIT} loader:_SingleProcessDataLoaderIter._next_data"
    lines = {"op:read": {f"{loader} user:read": 90}, "data_wait": {loader: 10}}
    measured_run = steady_run(
        {"forward": 0.5, "data_wait": 0.03, "op:read": 0.47},
        operations=(operation("read", 24 * 0.47),),
        stack_samples=(samples(lines),),
    )
    named = finding(measured_run, "dominant-operation")
    assert "num_workers above 0" in named.advice
    assert "end of the epoch" not in named.advice
    wait = finding(measured_run, "input-bound")
    assert (wait.severity, wait.part_of) == ("high", named.id)
    assert wait.title == "Training waits for data, mostly in `read`"
    assert wait.estimated_saving_s == pytest.approx(12.0)
    assert evidence(wait)["phases.train.breakdown.data_wait.share"] == pytest.approx(0.03)


def test_an_operation_beside_the_loader_is_no_part_of_the_wait() -> None:
    measured_run = steady_run(
        {"forward": 0.5, "data_wait": 0.03, "op:match": 0.47},
        operations=(operation("match", 24 * 0.47),),
        stack_samples=(samples({"op:match": {f"{STEP} user:match": 90}}),),
    )
    assert findings(measured_run, "input-bound") == []
    assert "end of the epoch" in finding(measured_run, "dominant-operation").advice
