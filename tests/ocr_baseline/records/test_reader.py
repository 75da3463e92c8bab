"""The recorder's files read back: exact numbers, and no number at all from what is damaged."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.errors import SourceError
from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.measure.sections import listen, section
from ocr_baseline.model.run import Run
from ocr_baseline.records import reader as source
from ocr_baseline.vocabulary import Line, Stage
from tests.ocr_baseline.measure.simulated_clock import SimulatedClock
from tests.property_sizes import examples

MILLISECOND = 1_000_000


def record_run(folder: Path) -> None:
    """Two epochs of two batches with a validation after each, on a simulated clock."""
    clock = SimulatedClock()
    recorder = Recorder(folder, clock=clock)
    recorder.write_header(
        {
            "run": {"id": "run-1", "name": "a run"},
            "written_at": "2026-02-03T04:05:06+00:00",
            "clock": "simulated",
            "environment": {"identity": {"python": "3"}, "volatile": {"hostname": "h"}},
            "config": {"model": {"width": 4}},
        }
    )
    recorder.resume()
    listen(recorder.operations)
    clock.work(2 * MILLISECOND)
    for epoch in range(2):
        _record_epoch(recorder, clock, epoch)
    listen(None)
    recorder.pause()
    recorder.write(
        {
            "type": "status",
            "status": "finished",
            "ended_by": None,
            "at_ns": recorder.now_ns(),
            "event_cost_ns": 200.0,
            "background_cpu_ns": 5,
        }
    )
    recorder.close()


def _record_epoch(recorder: Recorder, clock: SimulatedClock, epoch: int) -> None:
    if not recorder.stages.is_open(Stage.TRAIN):
        recorder.open_stage(Stage.TRAIN, epoch)
    else:
        recorder.end_epoch()
        recorder.begin_epoch(epoch)
    clock.work(3 * MILLISECOND)
    _record_batches(recorder, clock, 2, step_ms=10)
    recorder.open_stage(Stage.VALIDATION, epoch)
    _record_batches(recorder, clock, 1, step_ms=40)
    recorder.end_batches()
    with recorder.span(Line.METRICS.value):
        clock.work(6 * MILLISECOND)
    recorder.close_stage(Stage.VALIDATION)
    recorder.end_batches()
    with recorder.span(Line.CHECKPOINT.value):
        clock.work(8 * MILLISECOND)


def _record_batches(recorder: Recorder, clock: SimulatedClock, count: int, *, step_ms: int) -> None:
    for batch_idx in range(count):
        recorder.begin_fetch()
        clock.work(5 * MILLISECOND)
        recorder.end_fetch()
        recorder.begin_batch(batch_idx, 0, 4)
        with recorder.span(Line.FORWARD.value):
            with section("decode"), section("inner"):
                clock.work(2 * MILLISECOND)
            clock.work(step_ms * MILLISECOND)
        recorder.finish_batch()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a whole record file."""
    folder = tmp_path_factory.mktemp("recorded")
    record_run(folder)
    return (folder / "rank_0.jsonl").read_bytes()


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes], Run]:
    """Read a record file of the given content."""

    def read_content(content: bytes) -> Run:
        (tmp_path / "rank_0.jsonl").write_bytes(content)
        return source.load(tmp_path)

    return read_content


def stage_of(run: Run, stage: Stage) -> Any:
    return next(record for record in run.stages if record.stage is stage)


def total_ms(run: Run, stage: Stage) -> float:
    record = stage_of(run, stage)
    tails = sum(sum(epoch.tail_s.values()) for epoch in record.epochs)
    batches = 0.0 if record.batches is None else float(record.batches.duration_s.sum())
    return round((tails + batches) * 1e3, 6)


def test_what_was_recorded_is_read_to_the_nanosecond(
    recorded: bytes, read: Callable[[bytes], Run]
) -> None:
    run = read(recorded)

    train, validation = stage_of(run, Stage.TRAIN), stage_of(run, Stage.VALIDATION)
    assert [record.stage for record in run.stages] == [Stage.TRAIN, Stage.VALIDATION]
    assert train.batches.duration_s == pytest.approx([0.017] * 4, abs=1e-12)
    assert train.batches.start_s == pytest.approx([0.005, 0.022, 0.103, 0.120], abs=1e-12)
    assert train.batches.epoch.tolist() == [0, 0, 1, 1]
    assert train.batches.batch_idx.tolist() == [0, 1, 0, 1]
    assert train.batches.samples.tolist() == [4.0] * 4
    lines = {line: column.round(6).tolist() for line, column in train.batches.lines_s.items()}
    expected = {
        "loader_startup": [0.005, 0, 0.005, 0],
        "data_wait": [0, 0.005, 0, 0.005],
        "forward": [0.010] * 4,
        "op:inner": [0.002] * 4,
    }
    assert lines == {line: pytest.approx(column) for line, column in expected.items()}
    assert [dict(epoch.tail_s) for epoch in train.epochs] == [
        {"checkpoint": pytest.approx(0.008), "other": pytest.approx(0.003)}
    ] * 2
    assert [epoch.started_s for epoch in train.epochs] == pytest.approx([0.002, 0.100])
    assert validation.batches.duration_s == pytest.approx([0.047, 0.047])
    assert [dict(epoch.tail_s) for epoch in validation.epochs] == [
        {"metrics": pytest.approx(0.006)}
    ] * 2
    assert (total_ms(run, Stage.TRAIN), total_ms(run, Stage.VALIDATION)) == (90.0, 106.0)


def test_operations_are_read_with_inclusive_and_exclusive_times(
    recorded: bytes, read: Callable[[bytes], Run]
) -> None:
    run = read(recorded)

    found = {
        (op.name, op.stage.value): (op.calls, round(op.total_s, 9), round(op.exclusive_s, 6))
        for op in run.operations
    }
    assert found == {
        ("decode", "train"): (4, 0.008, 0.0),
        ("inner", "train"): (4, 0.008, 0.008),
        ("decode", "validation"): (2, 0.004, 0.0),
        ("inner", "validation"): (2, 0.004, 0.004),
    }
    assert all(op.in_main_thread and op.process == "main" for op in run.operations)
    samples = [op.call_time_s for op in run.operations]
    assert all(sample is not None and set(sample.round(9)) == {0.002} for sample in samples)


def test_who_and_what_ran_is_read(recorded: bytes, read: Callable[[bytes], Run]) -> None:
    run = read(recorded)

    assert (run.info.id, run.info.name, run.info.status) == ("run-1", "a run", "finished")
    assert run.info.started_at == datetime(2026, 2, 3, 4, 5, 6, tzinfo=timezone.utc)
    assert run.info.duration_s == pytest.approx(0.198)
    assert run.measurement.setup_s == pytest.approx(0.002)
    assert run.measurement.event_cost_s == pytest.approx(200e-9)
    assert run.measurement.lost_records == 0
    assert run.config == {"model": {"width": 4}}
    assert run.environment_identity == {"python": "3"}


@settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_file_cut_anywhere_reads_up_to_its_last_whole_line_and_counts_the_torn_one(
    data: st.DataObject, recorded: bytes, read: Callable[[bytes], Run]
) -> None:
    header_ends = recorded.index(b"\n")
    cut = data.draw(st.integers(header_ends, len(recorded)))
    content = recorded[:cut]
    whole_lines = [line for line in content.split(b"\n") if _is_json(line)]

    run = read(content)

    rest = content.rsplit(b"\n", 1)[-1]
    assert run.measurement.lost_records == (0 if not rest or _is_json(rest) else 1)
    rows = [json.loads(line) for line in whole_lines]
    batches = sum(len(r["start_ns"]) for r in rows if r["type"] == "batches")
    assert sum(len(stage.batches.start_s) for stage in run.stages if stage.batches) == batches
    assert run.info.status == (
        "finished" if any(r["type"] == "status" for r in rows) else "unknown"
    )
    analyze(run)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def test_a_run_that_was_killed_before_its_header_was_whole_says_so(
    recorded: bytes, read: Callable[[bytes], Run]
) -> None:
    with pytest.raises(SourceError, match="no readable header"):
        read(recorded[: recorded.index(b"\n") - 1])


@pytest.mark.slow
@settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(position=st.integers(0), byte=st.integers(0, 255))
def test_a_byte_that_flipped_costs_a_record_at_most_never_a_traceback(
    position: int, byte: int, recorded: bytes, read: Callable[[bytes], Run]
) -> None:
    damaged = bytearray(recorded)
    damaged[position % len(damaged)] = byte

    try:
        run = read(bytes(damaged))
    except SourceError:
        return
    assert run.measurement.lost_records <= 2
    analyze(run)


DAMAGES: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "a NaN time": ("batches", lambda r: r["lines_ns"].update(forward=[float("nan")] * 4)),
    "an infinite time": ("batches", lambda r: r["lines_ns"].update(forward=[float("inf")] * 4)),
    "a negative time": ("batches", lambda r: r["lines_ns"]["forward"].__setitem__(0, -1)),
    "a time of text": ("batches", lambda r: r["lines_ns"].update(forward=["1", "2", "3", "4"])),
    "times of fractions": ("batches", lambda r: r["lines_ns"].update(forward=[0.5] * 4)),
    "times of booleans": ("batches", lambda r: r["lines_ns"].update(forward=[True] * 4)),
    "a time of 300 years": ("batches", lambda r: r["lines_ns"].update(forward=[2**63 - 1] * 4)),
    "a time beyond 64 bits": ("batches", lambda r: r["lines_ns"].update(forward=[2**70] * 4)),
    "lines that overflow in sum": (
        "batches",
        lambda r: r["lines_ns"].update({f"line {n}": [2**58] * 4 for n in range(100)}),
    ),
    "a column too short": ("batches", lambda r: r["start_ns"].pop()),
    "a column of lists": ("batches", lambda r: r.update(start_ns=[[1, 2], [3, 4]])),
    "a column that is a number": ("batches", lambda r: r.update(start_ns=7, lines_ns={})),
    "a column that is an object": ("batches", lambda r: r.update(start_ns={"0": 1})),
    "lines that are a list": ("batches", lambda r: r.update(lines_ns=[[1] * 4])),
    "lines that are null": ("batches", lambda r: r.update(lines_ns=None)),
    "no batch numbers": ("batches", lambda r: r.pop("batch_idx")),
    "batch numbers of text": ("batches", lambda r: r.update(batch_idx=["0", "1", "2", "3"])),
    "negative samples": ("batches", lambda r: r.update(samples=[-1.0] * 4)),
    "samples of text": ("batches", lambda r: r.update(samples=["4"] * 4)),
    "a stage that doesn't exist": ("batches", lambda r: r.update(stage="training")),
    "a stage that is a list": ("batches", lambda r: r.update(stage=["train"])),
    "a type that is a list": ("batches", lambda r: r.update(type=["batches"])),
    "an epoch's start of text": ("epoch", lambda r: r.update(start_ns="12")),
    "an epoch of fractions": ("epoch", lambda r: r.update(epoch=0.5)),
    "a negative epoch's tail": ("epoch", lambda r: r.update(tail_ns={"other": -5})),
    "an epoch's tail of lists": ("epoch", lambda r: r.update(tail_ns={"other": [5]})),
    "an epoch's tail that is a list": ("epoch", lambda r: r.update(tail_ns=[1])),
    "negative batches": ("epoch", lambda r: r.update(batches=-1)),
    "calls of text": ("operation", lambda r: r.update(calls="4")),
    "negative calls": ("operation", lambda r: r.update(calls=-4)),
    "a negative call": ("operation", lambda r: r.update(call_sample_ns=[-1])),
    "call times that are no list": ("operation", lambda r: r.update(call_sample_ns=3)),
    "an operation without a name": ("operation", lambda r: r.update(name=None)),
    "an operation nowhere": ("operation", lambda r: r.update(where="elsewhere")),
    "a thread's operation without its time": ("operation", lambda r: r.update(where="thread")),
    "a status that is none": ("status", lambda r: r.update(status="exploded")),
    "an end of text": ("status", lambda r: r.update(at_ns="late")),
    "a negative cost": ("status", lambda r: r.update(event_cost_ns=-1)),
    "a status with a list of memory": ("status", lambda r: r.update(memory=[1])),
    "lost batches of text": ("status", lambda r: r.update(discarded_batches="many")),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_record_of_the_wrong_kind_is_counted_and_passed_over(
    damage: str, recorded: bytes, read: Callable[[bytes], Run]
) -> None:
    kind, change = DAMAGES[damage]
    lines = [json.loads(line) for line in recorded.splitlines()]
    position = next(
        n
        for n, record in enumerate(lines)
        if record["type"] == kind and record.get("stage", "train") == "train"
    )
    whole = read(recorded)
    without = read(_written([*lines[:position], *lines[position + 1 :]]))
    change(lines[position])

    run = read(_written(lines))

    assert run.measurement.lost_records == 1
    assert _figures(run) == _figures(without)
    assert _figures(run) != _figures(whole)
    analyze(run)


def _written(lines: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def _figures(run: Run) -> object:
    return (
        run.info.status,
        run.info.duration_s,
        [
            (s.stage, len(s.epochs), None if s.batches is None else s.batches.duration_s.sum())
            for s in run.stages
        ],
        [(op.name, op.stage, op.calls, op.total_s, op.exclusive_s) for op in run.operations],
    )


HEADER_DAMAGES: dict[str, dict[str, Any]] = {
    "a run that is a list": {"run": ["id"]},
    "a run id that is a number": {"run": {"id": 7}},
    "an environment that is text": {"environment": "linux"},
    "an identity that is a list": {"environment": {"identity": [1]}},
    "a date that is none": {"written_at": "yesterday"},
    "a config that is a list": {"config": [1, 2]},
    "a clock that is a number": {"clock": 5},
    "a version of text": {"version": "1"},
}


@pytest.mark.parametrize("damage", HEADER_DAMAGES)
def test_a_later_header_of_the_wrong_kind_is_counted_and_passed_over(
    damage: str, recorded: bytes, read: Callable[[bytes], Run]
) -> None:
    header = json.loads(recorded.splitlines()[0]) | HEADER_DAMAGES[damage]

    run = read(recorded + _written([header]))

    assert run.measurement.lost_records == 1
    assert run.info.id == "run-1"
    analyze(run)


@pytest.mark.parametrize("change", [{"version": 2}, {"version": 2**40}, {"format": "other"}])
def test_records_of_a_newer_version_or_another_kind_are_refused_by_name(
    change: dict[str, Any], recorded: bytes, read: Callable[[bytes], Run]
) -> None:
    lines = [json.loads(line) for line in recorded.splitlines()]
    lines[0] |= change

    with pytest.raises(SourceError, match="this version of ocr-baseline reads"):
        read(_written(lines))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b"3",
        b'"text"',
        b"{",
        b"\x00\xff\xfe",
        b"[" * 100_000,
        b'{"type":"batches"}',
        b'{"type":"operation","calls":1e999}',
        b"9" * 10_000,
        b'{"a":' * 5000,
    ],
    ids=lambda line: repr(line[:20]),
)
def test_a_line_that_is_no_record_is_counted(
    line: bytes, recorded: bytes, read: Callable[[bytes], Run]
) -> None:
    first, rest = recorded.split(b"\n", 1)

    run = read(first + b"\n" + line + b"\n" + rest)

    assert run.measurement.lost_records == 1
    assert total_ms(run, Stage.TRAIN) == 90.0


def test_records_of_a_type_from_the_future_are_ignored(
    recorded: bytes, read: Callable[[bytes], Run]
) -> None:
    run = read(recorded + b'{"type":"hologram","value":1}\n')

    assert run.measurement.lost_records == 0


def test_an_empty_folder_is_an_error_that_names_it_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"no records of a run.*callbacks=baseline_report"
    ) as raised:
        source.load(tmp_path)
    assert str(tmp_path) in str(raised.value)


def test_a_folder_that_does_not_exist_is_the_same_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no records of a run"):
        source.load(tmp_path / "absent")


def test_an_empty_file_is_a_clear_error(read: Callable[[bytes], Run]) -> None:
    with pytest.raises(SourceError, match="no readable header"):
        read(b"")


def test_a_header_alone_is_a_run_of_which_nothing_is_known_yet(
    recorded: bytes, read: Callable[[bytes], Run]
) -> None:
    run = read(recorded.splitlines(keepends=True)[0])

    assert (run.stages, run.info.status) == ((), "unknown")
    assert "run.status" in [entry.metric for entry in run.missing]


def test_records_are_found_from_the_folders_around_them(tmp_path: Path) -> None:
    record_run(tmp_path / "baseline" / "records")

    for folder in (tmp_path, tmp_path / "baseline", tmp_path / "baseline" / "records"):
        assert source.load(folder).info.id == "run-1"


_WORKER = {"stage": "train", "worker": 0, "pid": 9}


def worker_lines(**changes: Any) -> list[dict[str, Any]]:
    start = {
        "type": "worker_start",
        "format": "ocr-baseline-records",
        "version": 1,
        **_WORKER,
        "asked_ns": 1 * MILLISECOND,
        "ready_ns": 4 * MILLISECOND,
    }
    batches = {
        "type": "worker_batches",
        **_WORKER,
        "start_ns": [5 * MILLISECOND, 20 * MILLISECOND],
        "end_ns": [9 * MILLISECOND, 21 * MILLISECOND],
        "lines_ns": {"fetch": [4 * MILLISECOND, 1 * MILLISECOND], "op:decode": [0, 500_000]},
    }
    return [start, {**batches, **changes}]


def test_workers_are_read_from_their_own_files(
    recorded: bytes, read: Callable[[bytes], Run], tmp_path: Path
) -> None:
    (tmp_path / "rank_0_worker_train_0.jsonl").write_bytes(_written(worker_lines()))

    (worker,) = read(recorded).workers

    assert (worker.stage, worker.worker, worker.pid) == (Stage.TRAIN, 0, 9)
    assert [worker.asked_s, worker.ready_s] == pytest.approx([0.001, 0.004])
    assert worker.end_s - worker.start_s == pytest.approx([0.004, 0.001])
    assert worker.lines_s["op:decode"] == pytest.approx([0.0, 0.0005])
    assert worker.prefetch_factor is None


def test_what_workers_computed_is_read_where_it_was_recorded(
    recorded: bytes, read: Callable[[bytes], Run], tmp_path: Path
) -> None:
    taken = {
        **{"cpu_ns": [MILLISECOND, 0], "queued_ns": [None, 500_000], "torch_threads": 2},
        **{"read_bytes": [7, 0], "disk_read_bytes": [9, None], "disk_wait_ns": [0, MILLISECOND]},
    }
    (tmp_path / "rank_0_worker_train_0.jsonl").write_bytes(_written(worker_lines(**taken)))
    (tmp_path / "rank_0_worker_train_1.jsonl").write_bytes(_written(worker_lines(worker=1)))

    told, untold = (worker for worker in read(recorded).workers if len(worker.start_s))

    assert told.cpu_s == pytest.approx([0.001, 0.0])
    assert told.read_bytes is not None
    assert told.read_bytes.tolist() == [7.0, 0.0]
    assert (told.disk_bytes, untold.read_bytes, untold.disk_wait_s) == (None, None, None)
    assert told.disk_wait_s == pytest.approx([0.0, 0.001])
    assert (told.queued_s, told.torch_threads) == (None, 2)
    assert (untold.cpu_s, untold.queued_s, untold.torch_threads) == (None, None, None)


def test_what_the_process_computed_is_read_for_each_pass_where_it_was_recorded(
    recorded: bytes, read: Callable[[bytes], Run]
) -> None:
    lines = [json.loads(line) for line in recorded.splitlines()]
    told, untold, *_ = [
        line for line in lines if line["type"] == "epoch" and line["stage"] == "train"
    ]
    told |= {"cpu_ns": 7 * MILLISECOND, "thread_ns": 4 * MILLISECOND, "queued_ns": None}
    del untold["cpu_ns"], untold["thread_ns"], untold["queued_ns"]

    train = next(one for one in read(_written(lines)).stages if one.stage is Stage.TRAIN)

    assert train.epochs[0].cpu_s == pytest.approx(0.007)
    assert train.epochs[0].thread_s == pytest.approx(0.004)
    assert train.epochs[0].queued_s is None
    untold_of = train.epochs[1]
    assert (untold_of.cpu_s, untold_of.thread_s, untold_of.queued_s) == (None, None, None)


@pytest.mark.parametrize(
    "change",
    [
        {"end_ns": [1, 2]},
        {"cpu_ns": [1]},
        {"cpu_ns": [-1, 1]},
        {"cpu_ns": 5},
        {"queued_ns": ["", False]},
        {"read_bytes": [1]},
        {"disk_read_bytes": [-1, 1]},
        {"disk_wait_ns": ["", 1]},
        {"torch_threads": -1},
        {"torch_threads": "2"},
        {"end_ns": [9 * MILLISECOND]},
        {"start_ns": 5, "end_ns": 9, "lines_ns": {}},
        {"lines_ns": [1]},
        {"lines_ns": {"fetch": [-1, 1]}},
        {"worker": "0"},
        {"pid": -1},
        {"stage": None},
    ],
    ids=str,
)
def test_a_workers_record_of_the_wrong_kind_is_counted_and_passed_over(
    change: dict[str, Any], recorded: bytes, read: Callable[[bytes], Run], tmp_path: Path
) -> None:
    lines = worker_lines(**change)
    (tmp_path / "rank_0_worker_train_0.jsonl").write_bytes(_written(lines))

    run = read(recorded)

    assert run.measurement.lost_records == 1
    assert [len(worker.start_s) for worker in run.workers] == [0]
    analyze(run)


@pytest.mark.parametrize("factor", [0, -1, 2.0, "2", True])
def test_a_start_of_a_worker_with_a_wrong_prefetch_factor_is_counted_and_passed_over(
    factor: Any, recorded: bytes, read: Callable[[bytes], Run], tmp_path: Path
) -> None:
    start, batches = worker_lines()
    lines = [{**start, "prefetch_factor": factor}, batches]
    (tmp_path / "rank_0_worker_train_0.jsonl").write_bytes(_written(lines))

    run = read(recorded)

    assert run.measurement.lost_records == 1
    assert [(worker.ready_s, worker.prefetch_factor) for worker in run.workers] == [(None, None)]
    analyze(run)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
_KEYS = {
    "batches": ("stage", "epoch", "batch_idx", "dataloader_idx", "samples", "start_ns", "lines_ns"),
    "epoch": ("stage", "epoch", "start_ns", "batches", "events", "tail_ns"),
    "operation": ("stage", "name", "where", "calls", "total_ns", "call_sample_ns", "exclusive_ns"),
    "status": ("status", "ended_by", "at_ns", "event_cost_ns", "background_cpu_ns", "memory"),
    "memory": ("at_ns", "stage", "main_rss_bytes", "workers_rss_bytes", "system_memory_percent"),
    "header": ("run", "written_at", "environment", "config", "clock", "version"),
}


@st.composite
def mutated_line(draw: st.DrawFn) -> bytes:
    """A record of a known type with any JSON in the place of one or more of its values."""
    kind = draw(st.sampled_from(sorted(_KEYS)))
    record = json.loads(json.dumps(_examples()[kind]))
    for key in draw(st.lists(st.sampled_from(_KEYS[kind]), min_size=1, max_size=3)):
        record[key] = draw(_JSON)
    return json.dumps(record).encode() + b"\n"


@functools.cache
def _examples() -> dict[str, dict[str, Any]]:
    column = [1, 2]
    batches = dict.fromkeys(("epoch", "batch_idx", "dataloader_idx", "samples", "start_ns"), column)
    memory = dict.fromkeys(
        ("at_ns", "main_rss_bytes", "workers_rss_bytes", "system_memory_percent"), column
    )
    examples: dict[str, dict[str, Any]] = {
        "batches": {"stage": "train", **batches, "lines_ns": {"forward": column}},
        "epoch": {
            "stage": "train",
            "epoch": 0,
            "start_ns": 1,
            "batches": 2,
            "events": 3,
            "tail_ns": {},
        },
        "operation": {
            "name": "x",
            "stage": "train",
            "where": "main",
            "calls": 1,
            "total_ns": 2,
            "call_sample_ns": [2],
        },
        "status": {"status": "failed", "ended_by": "x", "at_ns": 3, "event_cost_ns": 1.5},
        "memory": {**memory, "stage": ["train", "train"]},
        "header": {"format": "ocr-baseline-records", "version": 1, "run": {"id": "x"}},
    }
    return {kind: {"type": kind, **example} for kind, example in examples.items()}


@pytest.mark.slow
@settings(
    max_examples=examples(300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(lines=st.lists(mutated_line(), min_size=1, max_size=3))
def test_records_of_any_content_are_read_or_counted_and_the_report_is_finite(
    lines: list[bytes], recorded: bytes, read: Callable[[bytes], Run]
) -> None:
    try:
        run = read(recorded + b"".join(lines))
    except SourceError:
        return

    assert 0 <= run.measurement.lost_records <= len(lines)
    for stage in run.stages:
        if stage.batches is not None:
            assert np.isfinite(stage.batches.duration_s).all()
            assert (stage.batches.duration_s >= 0).all()
    analyze(run).model_dump_json()


GOLDEN = Path(__file__).with_name("golden_run") / "finished"


def _replace(path: Path, by: str) -> None:
    path.unlink(missing_ok=True)
    if by == "pipe":
        os.mkfifo(path)
    elif by == "folder":
        path.mkdir()
    elif by == "newer format":
        path.write_text('{"type":"header","format":"ocr-baseline-records","version":99}\n')
    else:
        path.symlink_to({"loop": path.name, "endless": "/dev/zero", "nothing": "absent"}[by])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("by", ["pipe", "folder", "loop", "endless", "nothing"])
def test_a_workers_file_that_cannot_be_read_costs_a_note_and_no_report(
    by: str, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(GOLDEN, tmp_path / "run"))
    whole = source.load(folder)
    lost = sorted(folder.glob("rank_0_worker_*.jsonl"))[0]
    _replace(lost, by)

    run = source.load(folder)

    assert run.stages[0].epochs == whole.stages[0].epochs
    assert len(run.workers) < len(whole.workers)
    (warning,) = set(run.measurement.warnings) - set(whole.measurement.warnings)
    assert lost.name in warning
    assert "was left out" in warning


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("by", ["pipe", "folder", "loop", "endless", "newer format"])
def test_a_ranks_file_that_cannot_be_read_costs_a_note_and_no_report(
    by: str, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(GOLDEN, tmp_path / "run"))
    main = folder / "rank_0.jsonl"
    main.write_text(re.sub(r'"world_size":1\b', '"world_size":3', main.read_text()))
    shutil.copy(main, folder / "rank_1.jsonl")
    _replace(folder / "rank_2.jsonl", by)

    run = source.load(folder)

    assert [rank.rank for rank in run.ranks] == [0, 1]
    assert any("rank_2.jsonl" in warning for warning in run.measurement.warnings)
