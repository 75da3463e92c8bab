from __future__ import annotations

from dataclasses import replace

import numpy as np

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.run import Missing, ReportedEpoch, Run, RunInfo, StageRecord, StartRecord
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import memory_samples, run, stage, table

EMPTY = Run(info=RunInfo(source="wandb-api"))


def missing(measured_run: Run) -> dict[str, str]:
    return {entry.metric: entry.reason for entry in analyze(measured_run).missing}


def test_an_empty_run_says_what_is_missing() -> None:
    assert missing(EMPTY) == {
        "phases.train": "not_collected",
        "phases.validation": "not_collected",
        "train_vs_validation": "not_collected",
        "start": "not_collected",
        "goodput": "not_collected",
        "memory": "not_collected",
    }


def test_the_sources_reason_is_the_one_that_counts() -> None:
    entry = Missing(metric="memory", reason="skipped", detail="profile_memory is off")
    document = analyze(Run(info=RunInfo(source="recorder"), missing=(entry,)))
    [found] = [one for one in document.missing if one.metric == "memory"]
    assert (found.reason, found.detail) == ("skipped", "profile_memory is off")
    assert document.missing[0].metric == "memory"


def test_each_entry_has_a_reason_and_none_comes_twice() -> None:
    document = analyze(
        Run(
            info=RunInfo(source="csv"),
            stages=(StageRecord(stage=Stage.VALIDATION, reported=(ReportedEpoch(num_batches=3),)),),
        )
    )
    metrics = [entry.metric for entry in document.missing]
    assert len(metrics) == len(set(metrics))
    assert all(entry.reason for entry in document.missing)
    assert {
        "phases.validation.total_s",
        "phases.validation.batch_time_s",
        "phases.validation.samples",
    } <= set(metrics)


def test_a_complete_run_misses_what_its_machine_does_not_tell_at_most() -> None:
    rows = table(8, {"forward": 0.1})
    complete = run(
        stage(Stage.TRAIN, rows),
        stage(Stage.VALIDATION, rows),
        memory=memory_samples([1.0, 2.0], 0.0, tree_pss_bytes=np.ones(2)),
        start=StartRecord(process_s=3.0, before_s={"script": 3.0}),
    )
    complete = replace(complete, info=replace(complete.info, duration_s=2.0))
    assert missing(complete) == {
        "memory.accelerator": "not_collected",
        "environment.volatile.cpu_limit_held_s": "not_collected",
        "disk_read_bytes": "not_collected",
        "disk_wait_s": "not_collected",
        "cpu_s": "not_collected",
        "thread_s": "not_collected",
        "queued_s": "not_collected",
    }


def test_a_run_too_short_for_proportional_sizes_says_so() -> None:
    short = run(stage(Stage.TRAIN, table(8, {"forward": 0.1})), memory=memory_samples([1.0], 0.0))
    assert "memory.process_tree_pss_bytes" in missing(short)
