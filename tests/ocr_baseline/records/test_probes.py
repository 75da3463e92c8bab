"""Records of batches that were looked into: what is read of them, and what is damage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ocr_baseline.model.run import Run
from ocr_baseline.records import reader
from ocr_baseline.vocabulary import Stage

HEADER = {"type": "header", "format": "ocr-baseline-records", "version": 1}
BATCHES = {
    "type": "batches",
    "stage": "train",
    "epoch": [0] * 20,
    "batch_idx": list(range(20)),
    "dataloader_idx": [0] * 20,
    "samples": [4] * 20,
    "start_ns": [number * 1000 for number in range(20)],
    "lines_ns": {"forward": [1000] * 20},
}
NOTHING: dict[str, Any] = {"name": [], "calls": [], "host_ns": [], "device_ns": []}
WINDOW: dict[str, Any] = {
    "type": "profile_window",
    "stage": "train",
    "epoch": 0,
    "batch_idx": 10,
    "position": 10,
    "batches": 3,
    "start_ns": 10_000,
    "duration_ns": 3_000,
    "cost_ns": 500,
    "has_device": True,
    "why_no_stacks": None,
    "left_out": 0,
    "device_busy_ns": 2_000,
    "operators": {"name": ["aten::mm"], "calls": [3], "host_ns": [900], "device_ns": [1800]},
    "kernels": NOTHING,
    "modules": NOTHING,
    "waits": {"operator": ["aten::item"], "place": [None], "calls": [3], "host_ns": [300]},
    "events": {
        "names": ["aten::mm"],
        "tracks": ["host thread 1"],
        "name": [0],
        "track": [0],
        "start_ns": [10_100],
        "duration_ns": [300],
    },
}
FLOPS: dict[str, Any] = {
    "type": "flops",
    "stage": "train",
    "position": 2,
    "samples": 4,
    "flops": 10**13,
    "peak_flops_per_s": 1e15,
    "why_no_peak": None,
}


def read(folder: Path, *records: dict[str, Any]) -> Run:
    lines = [json.dumps(record) for record in (HEADER, BATCHES, *records)]
    (folder / "rank_0.jsonl").write_text("\n".join(lines) + "\n")
    return reader.load(folder)


def test_a_window_and_a_count_are_read_with_the_batches_that_they_set_aside(
    tmp_path: Path,
) -> None:
    run = read(tmp_path, FLOPS, WINDOW)
    assert run.profile_window is not None
    [operator] = run.profile_window.operators
    assert (operator.name, operator.calls) == ("aten::mm", 3)
    assert operator.device_s == pytest.approx(1.8e-6)
    [event] = run.profile_window.events
    assert (event.name, event.track) == ("aten::mm", "host thread 1")
    assert run.flops is not None
    assert run.flops.flops == 10**13
    [train] = run.stages
    assert train.set_aside == {2, 10, 11, 12}


def test_the_first_window_of_a_run_counts_and_all_set_their_batches_aside(tmp_path: Path) -> None:
    run = read(tmp_path, WINDOW, WINDOW | {"position": 15, "batches": 1, "batch_idx": 15})
    assert run.profile_window is not None
    assert run.profile_window.batch_idx == 10
    assert run.stages[0].set_aside == {10, 11, 12, 15}


def test_what_could_not_be_measured_is_missing_with_its_reason(tmp_path: Path) -> None:
    why_not = {"type": "not_measured", "metric": "profile_window", "why": "somebody else's"}
    [entry] = [one for one in read(tmp_path, why_not).missing if one.metric == "profile_window"]
    assert (entry.reason, entry.detail) == ("unsupported", "somebody else's")
    measured = read(tmp_path, why_not, WINDOW)
    assert [one for one in measured.missing if one.metric == "profile_window"] == []


@pytest.mark.parametrize(
    "damage",
    [
        {"stage": "nowhere"},
        {"batches": 10**9},
        {"batches": -1},
        {"cost_ns": -1},
        {"operators": {**NOTHING, "calls": [1]}},
        {"operators": {name: [0] * 50 for name in NOTHING}},
        {"events": {**WINDOW["events"], "name": [7]}},
        {"events": {**WINDOW["events"], "start_ns": 5}},
        {"waits": None},
        {"why_no_stacks": 5},
    ],
)
def test_a_damaged_window_is_passed_over_and_counted(
    tmp_path: Path, damage: dict[str, Any]
) -> None:
    run = read(tmp_path, WINDOW | damage)
    assert run.profile_window is None
    assert run.measurement.lost_records == 1
    assert run.stages[0].set_aside == set()
    assert run.stages[0].stage is Stage.TRAIN
