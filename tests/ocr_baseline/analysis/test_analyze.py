from __future__ import annotations

import json

import numpy as np
import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.document import Baseline
from ocr_baseline.model.run import MeasurementRecord, Run, RunInfo
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import (
    loaded_run,
    memory_samples,
    run,
    stage,
    steady_run,
    table,
)


def refuse(constant: str) -> float:
    raise AssertionError(f"{constant} in JSON")


RUNS = {
    "nothing": Run(info=RunInfo(source="wandb-api")),
    "one batch": steady_run({"forward": 0.5}, batches=1),
    "no batches": run(stage(Stage.TRAIN, None, tails_s=[{"other": 0.0}])),
    "an empty table": run(stage(Stage.TRAIN, table(0, {"forward": 0.0}))),
    "no time": steady_run({"forward": 0.0, "data_wait": 0.0}),
    "no samples": run(
        stage(Stage.TRAIN, table(9, {"forward": 0.5}, samples=np.nan)),
        stage(Stage.VALIDATION, table(9, {"forward": 0.0}, samples=0.0)),
    ),
    "unread memory": run(memory=memory_samples([np.nan], np.nan)),
    "workers": loaded_run(making_s=[0.5] * 30, main_s=0.1, workers=2, operation_share=0.5),
}


@pytest.mark.parametrize("name", RUNS)
def test_json_holds_no_nan_and_reads_back_as_the_same_document(name: str) -> None:
    document = analyze(RUNS[name])
    text = document.model_dump_json(by_alias=True)
    json.loads(text, parse_constant=refuse)
    assert Baseline.model_validate_json(text) == document


def test_configurations_that_differ_only_in_order_have_the_same_hash() -> None:
    first = analyze(Run(info=RunInfo(source="csv"), config={"a": 1, "b": {"c": [1, 2]}}))
    second = analyze(Run(info=RunInfo(source="csv"), config={"b": {"c": [1, 2]}, "a": 1}))
    other = analyze(Run(info=RunInfo(source="csv"), config={"a": 2, "b": {"c": [1, 2]}}))
    assert first.workload.config_hash == second.workload.config_hash
    assert first.workload.config_hash != other.workload.config_hash
    assert analyze(RUNS["nothing"]).workload.config_hash is None


def test_the_run_and_its_environment_are_passed_on_as_they_were_read() -> None:
    document = analyze(
        Run(
            info=RunInfo(source="recorder", status="failed", id="7", ended_by="ValueError: x"),
            environment_identity={"cpu_count": 2},
            environment_volatile={"hostname": "box"},
        )
    )
    assert (document.run.id, document.run.status, document.run.ended_by) == (
        "7",
        "failed",
        "ValueError: x",
    )
    assert document.environment.identity == {"cpu_count": 2}
    assert document.environment.volatile == {"hostname": "box"}


def test_the_notes_say_which_rules_could_not_judge_and_why() -> None:
    notes = analyze(steady_run({"forward": 0.5}, batches=6)).measurement.notes
    assert (
        "not judged: tail-latency, outlier-batches (train has 3 steady batches, 20 needed)" in notes
    )


def test_lost_records_and_the_sanity_check_are_mentioned() -> None:
    document = analyze(
        run(measurement=MeasurementRecord(lost_records=2, sanity_check_batches=2, warnings=("w",)))
    )
    assert document.measurement.warnings[0] == "w"
    assert document.measurement.warnings[1].startswith("2 records could not be read")
    assert any(note.startswith("sanity check: 2 batches") for note in document.measurement.notes)


def test_of_very_many_loaders_the_first_have_phases_and_a_note_says_so() -> None:
    loaders = np.tile(np.arange(3000), 2)
    rows = table(6000, {"forward": 0.5}, dataloader_idx=loaders)
    document = analyze(run(stage(Stage.VALIDATION, rows)))

    own = [phase.dataloader for phase in document.phases if phase.dataloader is not None]
    assert own == list(range(256))
    assert document.phases[0].batches == 6000
    assert any("3,000 dataloaders; the first 256" in note for note in document.measurement.notes)
