"""The trace of a run, as text: its format, its levels of detail, its rows."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft7Validator
from numpy.typing import ArrayLike

from ocr_baseline.errors import BaselineError
from ocr_baseline.model.rank_run import RankRun
from ocr_baseline.model.run import Run, RunInfo, StartRecord
from ocr_baseline.reports.registry import TRACE
from ocr_baseline.reports.trace import detail
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import memory_samples, run, stage, table, worker

# What the Trace Event Format says of complete events, counters and metadata.
EVENT = {
    "type": "object",
    "required": ["ph", "pid", "name"],
    "properties": {
        "ph": {"enum": ["X", "C", "M"]},
        "pid": {"type": "integer"},
        "tid": {"type": "integer"},
        "ts": {"type": "number", "minimum": 0},
        "dur": {"type": "number", "minimum": 0},
        "cat": {"type": "string"},
        "name": {"type": "string"},
        "args": {"type": "object"},
    },
    "additionalProperties": False,
    "oneOf": [
        {"properties": {"ph": {"const": "X"}}, "required": ["tid", "ts", "dur"]},
        {"properties": {"ph": {"const": "C"}}, "required": ["ts", "args"]},
        {
            "properties": {
                "ph": {"const": "M"},
                "name": {"pattern": "^(process|thread)_(name|sort_index)$"},
            },
            "required": ["args"],
        },
    ],
}
SCHEMA = {
    "type": "object",
    "properties": {
        "traceEvents": {"type": "array", "items": EVENT},
        "displayTimeUnit": {"enum": ["ms", "ns"]},
        "otherData": {"type": "object"},
    },
    "required": ["traceEvents"],
}


def traced(subject: Run, others: tuple[RankRun, ...] = ()) -> dict[str, Any]:
    content: dict[str, Any] = json.loads("".join(TRACE.parts(subject, others)))
    return content


def slices(content: dict[str, Any], row: str) -> list[dict[str, Any]]:
    events = content["traceEvents"]
    rows = {
        (one["pid"], one["tid"])
        for one in events
        if one["name"] == "thread_name" and one["args"]["name"] == row
    }
    return [one for one in events if one["ph"] == "X" and (one["pid"], one["tid"]) in rows]


def training(batches: int, a_pass: int | None = None) -> Run:
    lines_s = {"forward": 0.002, "data_wait": 0.001, "other": 0.0}
    return run(stage(Stage.TRAIN, table(batches, lines_s, batches_a_pass=a_pass)))


def full_run() -> Run:
    lines_s: dict[str, ArrayLike] = {
        "forward": 0.03,
        "op:طبقة": 0.01,
        "data_wait": 0.01,
        "checkpoint": [0, 0, 0.1, 0],
    }
    train = stage(Stage.TRAIN, table(4, lines_s, batches_a_pass=2, begin_s=1.0))
    made = {"fetch": [0.05, 0.02], "op:decode": [0.15, 0.08], "idle": [0.0, 0.3]}
    return run(
        replace(train, epochs=()),
        replace(stage(Stage.VALIDATION, table(1, {"forward": 0.02}, begin_s=2.0)), epochs=()),
        workers=(worker([1.0, 1.5], [1.2, 1.6], made, asked_s=0.5, ready_s=0.9),),
        memory=memory_samples([100.0, np.nan], [0.0, 0.0]),
        start=StartRecord(
            process_s=3.0, before_s={"script": 2.0, "trainer": 1.0}, lines_s={"other": 0.8}
        ),
    )


def test_the_trace_is_as_the_documented_format_has_it() -> None:
    Draft7Validator(SCHEMA).validate(traced(full_run(), (RankRun(rank=1, run=training(2)),)))


def test_a_batch_holds_its_lines_end_to_end_in_the_order_of_a_step() -> None:
    found = slices(traced(training(2)), "training: batches")
    assert [one["name"] for one in found] == ["training batch", "data_wait", "forward"] * 2
    batch, wait, forward = found[3:]
    assert batch["args"] == {"epoch": 0, "batch": 1, "dataloader": 0, "samples": 4}
    assert (batch["ts"], wait["ts"], forward["ts"]) == (3000.0, 3000.0, 4000.0)
    assert (batch["dur"], wait["dur"], forward["dur"]) == (3000.0, 1000.0, 2000.0)


def test_slices_of_a_row_are_nested_or_apart() -> None:
    events = traced(full_run())["traceEvents"]
    rows = {one["tid"] for one in events if one["ph"] == "X"}
    for row in rows:
        open_until: list[float] = []
        for one in (one for one in events if one["ph"] == "X" and one["tid"] == row):
            while open_until and open_until[-1] <= one["ts"] + 1e-6:
                open_until.pop()
            end = one["ts"] + one["dur"]
            assert not open_until or end <= open_until[-1] + 1e-6
            open_until.append(end)


def test_every_part_of_a_run_has_its_row_and_the_trace_begins_with_the_process() -> None:
    content = traced(full_run())
    start = {one["name"]: one for one in slices(content, "start-up")}
    assert start["script"]["ts"] == 0
    assert start["before the set-up"]["dur"] == pytest.approx(3e6)
    assert start["set-up"]["ts"] == pytest.approx(3e6)
    (batch, *_) = slices(content, "training: batches")
    assert batch["ts"] == pytest.approx(3e6 + 0.8e6)
    assert [one["name"] for one in slices(content, "training: epochs")] == ["epoch 0", "epoch 1"]
    assert len(slices(content, "validation: epochs")) == 1
    assert [one["name"] for one in slices(content, "checkpoints")] == ["checkpoint"]
    made = slices(content, "training: loader worker 0")
    assert [one["name"] for one in made if one["cat"] == "measured"] == [
        "start of the worker",
        "make a batch",
        "make a batch",
    ]


def test_what_wasnt_read_of_memory_is_absent_and_not_zero() -> None:
    events = traced(full_run())["traceEvents"]
    main = [one for one in events if one["name"] == "memory of the main process"]
    assert [one["args"] for one in main] == [{"bytes": 100.0}]


def test_workers_of_one_number_share_a_row_unless_they_ran_at_once() -> None:
    def made(start_s: float) -> Any:
        return worker([start_s], [start_s + 1.0], {})

    def rows(*workers: Any) -> int:
        events = traced(run(stage(Stage.TRAIN, table(1, {"forward": 1.0})), workers=workers))
        names = [one["args"] for one in events["traceEvents"] if one["name"] == "thread_name"]
        return names.count({"name": "training: loader worker 0"})

    assert rows(made(0.0), made(1.0)) == 1
    assert rows(made(0.0), made(0.5)) == 2


def test_ranks_are_processes_on_one_axis() -> None:
    others = (
        RankRun(rank=1, run=training(1), offset_s=0.5),
        RankRun(rank=2, run=training(1), is_same_clock=False),
    )
    events = traced(training(1), others)["traceEvents"]
    names = [one["args"]["name"] for one in events if one["name"] == "process_name"]
    assert names[1:] == ["rank 1", "rank 2 (another clock: placed by its date)"]
    starts = [one["ts"] for one in events if one["name"] == "training batch"]
    assert starts == [0.0, 0.5e6, 0.0]


def test_a_secret_in_a_name_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_PASSWORD", "correct-horse-battery")
    subject = replace(
        run(stage(Stage.TRAIN, table(1, {"op:correct-horse-battery": 0.1}))),
        info=RunInfo(source="recorder", name="of correct-horse-battery"),
    )
    assert "correct-horse" not in "".join(TRACE.parts(subject))


def test_of_many_batches_lines_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detail, "MAX_WITH_LINES", 5)
    content = traced(training(6))
    assert content["otherData"]["detail"] == "single batches"
    assert len(slices(content, "training: batches")) == 6


def test_of_very_many_batches_blocks_stand_for_all_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(detail, "MAX_SINGLE", 10)
    monkeypatch.setattr(detail, "MAX_BLOCKS", 4)
    content = traced(training(11, a_pass=4))
    assert content["otherData"]["detail"] == "blocks of 3 batches"
    found = slices(content, "training: batches")
    assert [one["args"]["batches"] for one in found[:3]] == [3, 3, 3]
    assert found[1]["args"]["first_epoch"] == 0
    assert found[1]["args"]["last_epoch"] == 1
    assert sum(one["args"]["samples"] for one in found) == 44
    assert sum(one["dur"] for one in found) == pytest.approx(11 * 3000.0)


def test_a_run_without_anything_over_time_says_so() -> None:
    with pytest.raises(BaselineError, match="nothing over time was kept"):
        list(TRACE.parts(Run(info=RunInfo(source="csv"))))
