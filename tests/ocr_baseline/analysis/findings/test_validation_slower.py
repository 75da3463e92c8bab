from __future__ import annotations

import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.run import ReportedEpoch, Run, RunInfo, StageRecord
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import (
    evidence,
    finding,
    findings,
    run,
    silent_rules,
    stage,
    table,
)

RULE = "validation-slower"


def two_stages(train_s: dict[str, float], validation_s: dict[str, float], batches: int = 24) -> Run:
    return run(
        stage(Stage.TRAIN, table(batches, train_s)),
        stage(Stage.VALIDATION, table(batches, validation_s)),
    )


def test_the_lines_that_add_most_to_a_validation_sample_are_its_causes() -> None:
    found = finding(
        two_stages(
            {"forward": 0.25, "backward": 0.25},
            {"forward": 0.25, "metrics": 1.0, "op:unclip": 0.5, "logging": 0.25},
        ),
        RULE,
    )
    assert found.severity == "high"
    assert found.title.endswith("mostly in `metrics`, `unclip`")  # 1.5 of 1.75 s added
    assert found.estimated_saving_s == pytest.approx(48.0 - 12.0)
    assert evidence(found)["train_vs_validation.sample_ratio"] == pytest.approx(4.0)
    assert evidence(found)["train_vs_validation.waterfall_s_per_sample.metrics"] == 0.25


def test_a_ratio_between_one_and_two_is_medium() -> None:
    found = finding(two_stages({"forward": 1.0}, {"forward": 1.5}), RULE)
    assert found.severity == "medium"


def test_a_faster_validation_is_no_finding() -> None:
    assert findings(two_stages({"forward": 1.0}, {"forward": 0.5}), RULE) == []


def test_a_ratio_whose_interval_holds_one_is_no_finding() -> None:
    uneven = [1.0, 3.0] * 12
    measured_run = run(
        stage(Stage.TRAIN, table(24, {"forward": uneven})),
        stage(Stage.VALIDATION, table(24, {"forward": [*uneven[:-1], 3.5]})),
    )
    assert findings(measured_run, RULE) == []


def test_a_recorded_run_without_an_interval_is_not_judged() -> None:
    document = analyze(two_stages({"forward": 1.0}, {"forward": 2.0}, batches=5))
    assert not [found for found in document.findings if found.id == RULE]
    assert any("validation-slower (too few steady batches" in n for n in silent_rules(document))


def test_logged_statistics_are_judged_by_the_ratio_and_name_no_cause() -> None:
    def logged(which: Stage, time_s: float) -> StageRecord:
        epoch = ReportedEpoch(epoch_time_s=time_s, num_batches=10, num_samples=40.0)
        return StageRecord(stage=which, reported=(epoch,))

    found = finding(
        Run(
            info=RunInfo(source="csv"),
            stages=(logged(Stage.TRAIN, 10.0), logged(Stage.VALIDATION, 30.0)),
        ),
        RULE,
    )
    assert found.title == "A validation sample takes longer than a training sample"
    assert found.estimated_saving_s == pytest.approx(20.0)


def test_larger_validation_batches_save_up_to_what_each_batch_costs_whatever_its_size() -> None:
    train = table(24, {"forward": 0.2, "backward": 0.2}, samples=8.0)
    found = finding(
        run(
            stage(Stage.TRAIN, train),
            stage(Stage.VALIDATION, table(48, {"forward": 0.15}, samples=1.0)),
        ),
        RULE,
    )
    # validation takes 7.2 s; training takes 0.05 s a sample, half of it in the forward pass
    assert found.estimated_saving_low_s is not None
    assert found.estimated_saving_low_s <= 7.2 - 48 * 0.05
    assert found.estimated_saving_s == pytest.approx(7.2 - 48 * 0.025)
    assert (found.estimated_saving_high_s or 0.0) >= 7.2 * 7 / 8


def test_larger_validation_batches_do_not_save_the_making_of_their_samples() -> None:
    waits = {"data_wait": 0.1, "forward": 0.05}
    found = finding(
        run(
            stage(Stage.TRAIN, table(24, {"forward": 0.2}, samples=8.0)),
            stage(Stage.VALIDATION, table(48, waits, samples=1.0)),
        ),
        RULE,
    )
    assert found.estimated_saving_s is not None
    assert found.estimated_saving_s <= 48 * 0.05
    assert found.estimated_saving_low_s is not None
    assert found.estimated_saving_low_s <= found.estimated_saving_s
