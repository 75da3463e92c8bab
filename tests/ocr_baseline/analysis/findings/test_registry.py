from __future__ import annotations

import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.run import Missing, ReportedEpoch, Run, RunInfo, StageRecord
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import (
    loaded_run,
    operation,
    silent_rules,
    steady_run,
    with_environment,
)


def test_findings_come_by_what_they_save_after_what_limits_the_trust_in_them() -> None:
    document = analyze(
        with_environment(
            steady_run(
                {"forward": 0.25, "metrics": 0.5, "logging": 0.125, "op:slow": 0.25},
                operations=(operation("slow", 6.0),),
                environment_volatile={"load_avg_1min": 8.0},
            ),
            cpu_count=2,
        )
    )
    assert [found.id for found in document.findings] == [
        "noisy-machine:load",
        "heavy-metrics:train",
        "dominant-operation:train:slow",
        "heavy-logging:train",
    ]


@pytest.mark.parametrize(
    "measured_run",
    [
        Run(info=RunInfo(source="wandb-api")),
        Run(info=RunInfo(source="recorder"), missing=(Missing(metric="x", reason="failed"),)),
    ],
)
def test_a_run_of_which_nothing_is_known_has_no_findings(measured_run: Run) -> None:
    assert analyze(measured_run).findings == []


def test_logged_statistics_lead_to_no_finding_about_lines() -> None:
    epoch = ReportedEpoch(epoch_time_s=9.0, num_batches=90, num_samples=90.0, batch_mean_s=0.1)
    document = analyze(
        Run(
            info=RunInfo(source="csv"),
            stages=(StageRecord(stage=Stage.VALIDATION, reported=(epoch,)),),
        )
    )
    assert document.findings == []


def test_rules_that_are_silent_for_the_same_reason_share_a_note() -> None:
    notes = silent_rules(analyze(steady_run({"forward": 0.1, "metrics": 0.9}, batches=4)))
    assert "not judged: heavy-metrics (train has 1 steady batch, 5 needed)" in notes
    assert len(notes) == len(set(notes))


def test_every_finding_has_evidence_advice_and_a_basis_for_its_saving() -> None:
    document = analyze(
        with_environment(
            loaded_run(making_s=[0.3] * 40, main_s=0.1, workers=1, operation_share=0.5),
            cpu_count=4,
        )
    )
    assert {found.id.partition(":")[0] for found in document.findings} == {
        "input-bound",
        "worker-operation",
        "too-few-workers",
    }
    for found in document.findings:
        assert found.evidence
        assert found.advice
        assert (found.saving_basis is None) == (found.estimated_saving_s is None)
