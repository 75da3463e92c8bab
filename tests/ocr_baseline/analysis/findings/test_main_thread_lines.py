from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.analysis.findings.lines import LINE_RULES, LineRule
from ocr_baseline.model.run import MeasurementRecord, Run
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
    worker,
)


def with_share(line: str, share: float) -> dict[str, float]:
    return {"forward": 1 - share, line: share}


@pytest.mark.parametrize("rule", LINE_RULES, ids=lambda rule: rule.kind.id)
def test_a_line_is_found_from_its_limit_on_and_saves_what_it_took(rule: LineRule) -> None:
    line, id = rule.line.value, rule.kind.id
    least, much = rule.kind["medium"], rule.kind["high"] + 0.01
    assert findings(steady_run(with_share(line, least - 0.01)), id) == []
    medium = finding(steady_run(with_share(line, least + 0.01)), id)
    assert medium.severity == "medium"
    assert medium.estimated_saving_s == pytest.approx(24 * (least + 0.01))
    high = finding(steady_run(with_share(line, much)), id)
    assert high.severity == "high"
    assert evidence(high)[f"phases.train.breakdown.{line}.share"] == pytest.approx(much)


@pytest.mark.parametrize(("load", "repeats"), [(0.1, 0.1), (4.0, 0.2)], ids=["quiet", "busy"])
def test_a_saving_is_as_uncertain_as_what_is_left_varies_from_run_to_run(
    load: float, repeats: float
) -> None:
    measured_run = steady_run(
        {"forward": 0.6, "metrics": 0.4},
        environment_identity={"cpu_count": 2},
        environment_volatile={"load_avg_1min": load},
    )
    found = finding(measured_run, "heavy-metrics")
    saving_s, left_s = 24 * 0.4, 24 * 0.6
    assert found.estimated_saving_s == pytest.approx(saving_s)
    assert found.estimated_saving_low_s == pytest.approx(saving_s - repeats * left_s)
    # what is left may also get faster without the cause beside it
    assert found.estimated_saving_high_s == pytest.approx(
        saving_s + repeats * left_s + 0.3 * saving_s
    )


def test_a_saving_is_at_most_the_stage_and_at_least_nothing() -> None:
    most = finding(steady_run({"forward": 0.02, "metrics": 0.98}), "heavy-metrics")
    assert most.estimated_saving_high_s == pytest.approx(24 * (0.98 + 0.1 * 0.02 + 0.3 * 0.02))
    least = finding(steady_run({"forward": 0.94, "metrics": 0.06}), "heavy-metrics")
    assert least.estimated_saving_low_s == 0.0


@pytest.mark.parametrize("line", ["optimizer", "transfer"])
def test_a_line_that_the_work_needs_may_save_its_time_at_most(line: str) -> None:
    (needed,) = analyze(steady_run(with_share(line, 0.5))).findings
    assert (needed.saving_is_the_most, needed.estimated_saving_low_s) == (True, 0.0)
    assert needed.estimated_saving_high_s == needed.estimated_saving_s
    (other,) = analyze(steady_run(with_share("logging", 0.5))).findings
    assert not other.saving_is_the_most


def test_what_is_left_varies_as_its_batches_do() -> None:
    forward_s = np.where(np.arange(64) < 32, 0.2, 1.0)
    rows = table(64, {"forward": forward_s, "metrics": 0.4})
    found = finding(run(stage(Stage.TRAIN, rows)), "heavy-metrics")
    assert found.estimated_saving_low_s is not None
    assert found.estimated_saving_low_s < 64 * 0.4 - 0.15 * 64 * 0.6


def test_lines_of_the_models_own_work_are_no_findings() -> None:
    document = analyze(steady_run({"forward": 0.5, "backward": 0.4, "other": 0.1}))
    assert document.findings == []


def test_a_short_stage_is_not_judged() -> None:
    document = analyze(steady_run({"forward": 0.1, "checkpoint": 0.9}, batches=7))
    assert document.findings == []
    assert "not judged: heavy-checkpoint (train has 4 steady batches, 5 needed)" in silent_rules(
        document
    )


def test_time_at_the_end_of_epochs_counts_for_its_line() -> None:
    found = finding(
        steady_run({"forward": 0.5}, batches=24, tails_s=[{"checkpoint": 4.0}]), "heavy-checkpoint"
    )
    assert (found.severity, found.estimated_saving_s) == ("high", 4.0)


def test_the_callback_that_takes_most_of_the_callbacks_time_is_named() -> None:
    found = finding(
        steady_run({"forward": 1.0, "callbacks:ImageLogger": 0.5, "callbacks:Other": 0.125}),
        "heavy-callbacks",
    )
    assert found.title == "Training spends much of its time in callbacks, mostly in `ImageLogger`"
    parts = {name: value for name, value in evidence(found).items() if ".parts." in name}
    assert parts == {
        "phases.train.breakdown.callbacks.parts.ImageLogger.total_s": 12.0,
        "phases.train.breakdown.callbacks.parts.Other.total_s": 3.0,
    }


def test_no_callback_is_named_when_none_takes_half_of_their_time() -> None:
    lines = {f"callbacks:{name}": 0.25 for name in "ABC"}
    found = finding(steady_run({"forward": 1.0, **lines}), "heavy-callbacks")
    assert found.title == "Training spends much of its time in callbacks"


def test_on_an_accelerator_a_saving_says_that_the_host_may_have_waited_for_the_device() -> None:
    measured_run = steady_run({"forward": 0.5, "metrics": 0.5})
    on_cpu = finding(with_environment(measured_run, accelerator="cpu"), "heavy-metrics")
    on_cuda = finding(with_environment(measured_run, accelerator="cuda"), "heavy-metrics")
    assert "accelerator" not in (on_cpu.saving_basis or "")
    assert "work queued on the accelerator" in (on_cuda.saving_basis or "")


def test_an_operation_dominates_from_a_tenth_of_the_stage_on() -> None:
    def with_operation(share: float) -> Run:
        return steady_run(
            {"forward": 1 - share, "op:slow": share}, operations=(operation("slow", 24 * share),)
        )

    rule = "dominant-operation"
    assert findings(with_operation(0.09), rule) == []
    assert finding(with_operation(0.2), rule).severity == "medium"
    heavy = finding(with_operation(0.4), rule)
    assert heavy.severity == "high"
    assert heavy.estimated_saving_s == pytest.approx(9.6)
    assert evidence(heavy)["operations.slow.train.calls"] == 10


def test_an_operation_in_workers_does_not_dominate_the_main_thread() -> None:
    measured_run = run(
        stage(Stage.TRAIN, table(24, {"forward": 1.0})),
        workers=(worker([0.0], [9.0], {"op:decode": [9.0]}),),
        operations=(operation("decode", 9.0, in_worker=True),),
    )
    assert findings(measured_run, "dominant-operation") == []


def test_an_operation_of_a_short_stage_is_not_judged() -> None:
    document = analyze(
        steady_run({"op:slow": 1.0}, batches=4, operations=(operation("slow", 4.0),))
    )
    assert document.findings == []
    assert any("dominant-operation" in note for note in silent_rules(document))


def test_the_profilers_own_cost_is_a_finding_above_one_percent() -> None:
    def with_cost(share: float) -> Run:
        return steady_run({"forward": 1 - share, "profiler": share})

    rule = "profiler-cost"
    assert findings(with_cost(0.009), rule) == []
    low = finding(with_cost(0.02), rule)
    assert low.severity == "low"
    assert low.estimated_saving_s == pytest.approx(0.48)
    assert finding(with_cost(0.06), rule).severity == "medium"


def test_the_calibrated_cost_of_spans_counts_as_the_profilers() -> None:
    rows = table(24, {"other": 0.1})
    found = finding(
        run(
            stage(Stage.TRAIN, rows, tails_s=[{}], events=100),
            measurement=MeasurementRecord(event_cost_s=0.001),
        ),
        "profiler-cost",
    )
    assert found.estimated_saving_s == pytest.approx(0.1)


def test_only_training_is_told_of_the_interval_of_its_logging() -> None:
    lines = {"forward": 0.5, "logging": 0.5}
    training = finding(steady_run(lines), "heavy-logging")
    validation = finding(steady_run(lines, which=Stage.VALIDATION), "heavy-logging")
    assert "log_every_n_steps" in training.advice
    assert validation.advice.startswith("Log fewer values, or add them up and log them once at ")


def test_a_line_saves_less_where_workers_would_then_be_waited_for() -> None:
    # one worker makes a batch in 3 s, the main thread uses it in 2 s, half of that in logging:
    # without it waits of 1 s get waits of 2 s, and only the last batch's second is saved
    measured_run = loaded_run(making_s=[3.0] * 24, main_s=2.0, workers=1)
    [train] = measured_run.stages
    assert train.batches is not None
    lines_s = dict(train.batches.lines_s)
    lines_s["forward"] = lines_s["logging"] = lines_s["forward"] / np.float32(2)
    batches = replace(train.batches, lines_s=lines_s)
    found = finding(
        replace(measured_run, stages=(replace(train, batches=batches),)), "heavy-logging"
    )
    assert found.estimated_saving_s == pytest.approx(1.0)
    assert "minus the longer wait for the loader's workers" in (found.saving_basis or "")


def test_what_comes_once_a_pass_is_judged_by_passes_and_not_by_batches() -> None:
    def evaluated(passes: int) -> Run:
        batches = table(3 * passes, {"forward": 0.1}, batches_a_pass=3)
        tails_s = [{"module_hooks": 0.8}] * passes
        return run(stage(Stage.VALIDATION, batches, tails_s=tails_s))

    found = finding(evaluated(2), "heavy-module-hooks")
    assert found.severity == "high"
    assert found.estimated_saving_s == pytest.approx(1.6)
    assert findings(evaluated(1), "heavy-module-hooks") == []


@pytest.mark.parametrize(
    ("line", "named", "for_batches"),
    [("metrics", "heavy-metrics", "once per epoch"), ("callbacks", "heavy-callbacks", "batches")],
)
def test_what_comes_once_an_epoch_already_is_not_told_to_move_there(
    line: str, named: str, for_batches: str
) -> None:
    at_batches = steady_run({"forward": 0.5, line: 0.5})
    at_the_end = steady_run({"forward": 0.5}, tails_s=[{line: 12.0}])

    assert for_batches in finding(at_batches, named).advice
    assert for_batches not in finding(at_the_end, named).advice
    assert "after fewer epochs" in finding(at_the_end, named).advice
