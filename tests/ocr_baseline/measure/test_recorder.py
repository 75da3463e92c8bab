from __future__ import annotations

import json
import logging
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ocr_baseline.measure import flush_request
from ocr_baseline.measure.flush_request import FlushRequest
from ocr_baseline.measure.heartbeat import Heartbeat
from ocr_baseline.measure.memory import AcceleratorSample, MemoryProbe
from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.measure.sections import listen, section
from ocr_baseline.records import reader as recorder_source
from ocr_baseline.records.format import ROWS_PER_RECORD
from ocr_baseline.vocabulary import Line, Stage
from tests.ocr_baseline.measure.simulated_clock import SimulatedClock


def records(recorder: Recorder, kind: str) -> list[dict[str, Any]]:
    path = recorder.folder / f"rank_{recorder.rank}.jsonl"
    found = [json.loads(line) for line in path.read_text().splitlines()]
    return [record for record in found if record["type"] == kind]


def run_batch(recorder: Recorder, clock: SimulatedClock, batch_idx: int, wait_ns: int = 5) -> None:
    recorder.begin_fetch()
    clock.work(wait_ns)
    recorder.end_fetch()
    recorder.begin_batch(batch_idx, 0, 4)
    with recorder.span(Line.FORWARD.value):
        clock.work(10)
    recorder.finish_batch()


def started(folder: Path, clock: SimulatedClock) -> Recorder:
    recorder = Recorder(folder, clock=clock)
    recorder.write_header({})
    recorder.resume()
    return recorder


def test_a_stage_inside_another_takes_none_of_its_time(tmp_path: Path) -> None:
    clock = SimulatedClock()
    recorder = started(tmp_path, clock)
    recorder.open_stage(Stage.TRAIN, 0)
    run_batch(recorder, clock, 0)
    recorder.open_stage(Stage.VALIDATION, 0)
    clock.work(100)
    run_batch(recorder, clock, 0, wait_ns=1000)
    recorder.close_stage(Stage.VALIDATION)
    clock.work(7)
    recorder.close()

    lines = {record["stage"]: record["lines_ns"] for record in records(recorder, "batches")}
    assert lines == {
        "train": {"loader_startup": [5], "forward": [10], "other": [7]},
        "validation": {"loader_startup": [1000], "forward": [10]},
    }
    tails = {record["stage"]: record["tail_ns"] for record in records(recorder, "epoch")}
    assert tails == {"train": {}, "validation": {"other": 100}, "setup": {}}


def test_the_first_fetch_of_an_epoch_is_the_loaders_start_and_later_ones_are_waits(
    tmp_path: Path,
) -> None:
    clock = SimulatedClock()
    recorder = started(tmp_path, clock)
    recorder.open_stage(Stage.TRAIN, 0)
    for batch_idx in range(3):
        run_batch(recorder, clock, batch_idx)
    recorder.end_batches()
    recorder.close()

    (record,) = records(recorder, "batches")
    assert record["lines_ns"] == {
        "loader_startup": [5, 0, 0],
        "data_wait": [0, 5, 5],
        "forward": [10, 10, 10],
    }


def test_a_fetch_that_finds_the_loader_empty_belongs_to_no_batch(tmp_path: Path) -> None:
    clock = SimulatedClock()
    recorder = started(tmp_path, clock)
    recorder.open_stage(Stage.TRAIN, 0)
    run_batch(recorder, clock, 0)
    recorder.begin_fetch()
    clock.work(3)
    recorder.end_fetch()
    recorder.close()

    (batches,) = records(recorder, "batches")
    assert batches["batch_idx"] == [0]
    epoch = next(r for r in records(recorder, "epoch") if r["stage"] == "train")
    assert (epoch["batches"], epoch["tail_ns"]) == (1, {"data_wait": 3})


def test_a_fetch_inside_a_step_and_a_section_is_a_wait_inside_the_batch(tmp_path: Path) -> None:
    clock = SimulatedClock()
    recorder = started(tmp_path, clock)
    listen(recorder.operations)
    recorder.open_stage(Stage.TRAIN, 0)
    for batch_idx in range(2):
        recorder.begin_batch(batch_idx, 0, None)
        with recorder.span(Line.FORWARD.value):
            with section("load"):
                recorder.begin_fetch()
                clock.work(5)
                recorder.end_fetch()
                clock.work(1)
            clock.work(10)
        recorder.finish_batch()
    listen(None)
    recorder.close()

    (record,) = records(recorder, "batches")
    assert record["lines_ns"] == {"data_wait": [5, 5], "op:load": [1, 1], "forward": [10, 10]}


def test_a_section_across_the_yields_of_a_stream_leaves_every_batch_whole(tmp_path: Path) -> None:
    clock = SimulatedClock()
    recorder = started(tmp_path, clock)
    listen(recorder.operations)

    def stream() -> Any:
        with section("stream"):
            for _ in range(3):
                clock.work(5)
                yield

    recorder.open_stage(Stage.TRAIN, 0)
    items = stream()
    for batch_idx in range(3):
        recorder.begin_fetch()
        next(items)
        recorder.end_fetch()
        recorder.begin_batch(batch_idx, 0, 1)
        with recorder.span(Line.FORWARD.value):
            clock.work(10)
        recorder.finish_batch()
        clock.work(1)
    items.close()
    listen(None)
    recorder.close()

    (record,) = records(recorder, "batches")
    assert record["batch_idx"] == [0, 1, 2]
    assert record["lines_ns"]["forward"] == [10, 10, 10]
    assert record["lines_ns"]["other"] == [1, 1, 1]
    assert [sum(row) for row in zip(*record["lines_ns"].values(), strict=True)] == [16, 16, 16]


def test_nothing_is_charged_between_two_runs(tmp_path: Path) -> None:
    clock = SimulatedClock()
    recorder = started(tmp_path, clock)
    for epoch in range(2):
        recorder.resume()
        recorder.open_stage(Stage.TRAIN, epoch)
        run_batch(recorder, clock, 0)
        recorder.pause()
        clock.work(10**9)
    recorder.close()

    assert sum(r["tail_ns"].get("other", 0) for r in records(recorder, "epoch")) == 0
    assert [r["batches"] for r in records(recorder, "epoch") if r["stage"] == "train"] == [1, 1]


def test_pausing_closes_whatever_is_open_once(tmp_path: Path) -> None:
    clock = SimulatedClock()
    recorder = started(tmp_path, clock)
    recorder.open_stage(Stage.TRAIN, 0)
    run_batch(recorder, clock, 0)
    recorder.open_stage(Stage.VALIDATION, 0)
    run_batch(recorder, clock, 0)
    for _ in range(2):
        recorder.pause()
    recorder.close()
    recorder.close()

    stages = [record["stage"] for record in records(recorder, "epoch")]
    assert stages.count("train") == stages.count("validation") == 1
    assert stages.count("setup") == 2  # before the training and after it


def test_a_second_run_in_another_thread_is_charged_as_the_first(tmp_path: Path) -> None:
    clock = SimulatedClock()
    recorder = started(tmp_path, clock)
    recorder.pause()
    listen(recorder.operations)

    def run() -> None:
        recorder.resume()
        recorder.open_stage(Stage.TRAIN, 0)
        run_batch(recorder, clock, 0)
        with section("decode"):
            clock.work(3)
        recorder.pause()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    listen(None)
    recorder.close()

    (record,) = records(recorder, "batches")
    assert record["lines_ns"]["op:decode"] == [3]
    assert {r["where"] for r in records(recorder, "operation")} == {"main"}


def test_many_rows_ask_for_an_early_flush(tmp_path: Path) -> None:
    clock = SimulatedClock()
    recorder = started(tmp_path, clock)
    recorder.open_stage(Stage.TRAIN, 0)
    for batch_idx in range(ROWS_PER_RECORD + 1):
        run_batch(recorder, clock, batch_idx)
    assert recorder.flush_request.is_made()

    recorder.flush()

    assert not recorder.flush_request.is_made()
    (record,) = records(recorder, "batches")
    assert len(record["batch_idx"]) == ROWS_PER_RECORD
    recorder.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_on_a_full_disk_every_lost_batch_is_counted_and_the_run_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = SimulatedClock()
    (tmp_path / "rank_0.jsonl").symlink_to("/dev/full")
    recorder = Recorder(tmp_path, clock=clock)
    heartbeat = Heartbeat(recorder, probe=MemoryProbe())
    recorder.resume()
    recorder.open_stage(Stage.TRAIN, 0)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            for batch_idx in range(ROWS_PER_RECORD):
                run_batch(recorder, clock, batch_idx)
            recorder.end_batches()
            heartbeat.beat()
            assert not recorder.flush_request.is_made(), "the thread would spin on a full disk"

    assert recorder.discarded_batches == 3 * ROWS_PER_RECORD
    assert len(caplog.records) == 1
    assert os.strerror(28) in caplog.text


def test_what_the_accelerator_tells_reaches_the_run(tmp_path: Path) -> None:
    readings = iter([AcceleratorSample(10, 20, utilization_percent=40.0), None])
    recorder = started(tmp_path, SimulatedClock())
    heartbeat = Heartbeat(recorder, probe=MemoryProbe(lambda: next(readings)))
    for _ in range(2):
        heartbeat.beat()
    recorder.close()

    memory = recorder_source.load(tmp_path).memory
    assert memory is not None
    for column, expected in (
        (memory.accelerator_allocated_bytes, 10.0),
        (memory.accelerator_reserved_bytes, 20.0),
        (memory.accelerator_utilization_percent, 40.0),
    ):
        assert column == pytest.approx([expected, np.nan], nan_ok=True)


def test_memory_that_can_not_be_read_is_one_warning_and_rows_still_reach_the_disk(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Unreadable(MemoryProbe):
        def read(self) -> Any:
            raise RuntimeError("no /proc here")

    clock = SimulatedClock()
    recorder = started(tmp_path, clock)
    heartbeat = Heartbeat(recorder, probe=Unreadable())
    recorder.open_stage(Stage.TRAIN, 0)
    run_batch(recorder, clock, 0)
    recorder.end_batches()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            heartbeat.beat()

    assert len(records(recorder, "batches")) == 1
    assert len(caplog.records) == 1
    assert "no /proc here" in caplog.text
    recorder.close()


def test_the_heartbeat_writes_while_the_run_goes_on_and_stops_at_once(tmp_path: Path) -> None:
    clock = SimulatedClock()
    recorder = started(tmp_path, clock)
    heartbeat = Heartbeat(recorder, probe=MemoryProbe())
    heartbeat.start()
    recorder.open_stage(Stage.TRAIN, 0)
    for batch_idx in range(3 * ROWS_PER_RECORD):
        run_batch(recorder, clock, batch_idx)
    recorder.pause()
    heartbeat.stop()
    heartbeat.stop()
    recorder.close()

    rows = [idx for record in records(recorder, "batches") for idx in record["batch_idx"]]
    assert rows == list(range(3 * ROWS_PER_RECORD))
    assert records(recorder, "memory")
    assert "ocr-baseline-heartbeat" not in [thread.name for thread in threading.enumerate()]


def test_a_thousand_quick_batches_are_on_disk_before_the_next_one_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flush_request, "PATIENCE_S", 60.0)
    clock = SimulatedClock()
    recorder = started(tmp_path, clock)
    heartbeat = Heartbeat(recorder, probe=None)
    heartbeat.start()
    recorder.open_stage(Stage.TRAIN, 0)
    for batch_idx in range(ROWS_PER_RECORD + 1):
        run_batch(recorder, clock, batch_idx)
    written = recorder_source.load(tmp_path).stages[0].batches
    heartbeat.stop()

    assert written is not None
    assert len(written.start_s) == ROWS_PER_RECORD


def test_a_disk_that_is_slow_is_not_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    request = FlushRequest()
    request.serve()
    request.make()
    assert request.is_made()
    with request.being_met():
        pass
    assert not request.is_made()

    monkeypatch.setattr(flush_request, "PATIENCE_S", 3600.0)
    asking = threading.Thread(target=request.make, daemon=True)
    asking.start()
    asking.join(timeout=60.0)

    assert not asking.is_alive(), "it waits for a disk that was too slow before"
    assert request.is_made()


def test_a_request_is_met_even_when_its_flush_fails() -> None:
    request = FlushRequest()
    request.make()

    with pytest.raises(OSError, match="full"), request.being_met():
        raise OSError("the disk is full")

    assert not request.is_made()


def test_the_tally_of_an_operation_is_written_again_only_after_further_calls(
    tmp_path: Path,
) -> None:
    clock = SimulatedClock()
    recorder = started(tmp_path, clock)
    listen(recorder.operations)
    recorder.open_stage(Stage.TRAIN, 0)
    for batch_idx in range(4):
        run_batch(recorder, clock, batch_idx)
        if batch_idx in {0, 2}:
            with section("decode"):
                clock.work(3)
        recorder.end_batches()
        recorder.flush()
    listen(None)
    recorder.close()

    tallies = records(recorder, "operation")
    assert [(tally["calls"], tally["call_sample_ns"]) for tally in tallies] == [
        (1, []),
        (2, []),
        (2, [3, 3]),
    ]


def test_between_two_batches_no_tally_is_written(tmp_path: Path) -> None:
    clock = SimulatedClock()
    recorder = started(tmp_path, clock)
    listen(recorder.operations)
    recorder.open_stage(Stage.TRAIN, 0)
    recorder.flush()  # the set-up's row
    run_batch(recorder, clock, 0)
    for _ in range(5):
        with section("decode"):
            clock.work(3)
        recorder.flush()
    assert not records(recorder, "operation")
    recorder.end_batches()
    recorder.flush()
    listen(None)

    assert [tally["calls"] for tally in records(recorder, "operation")] == [5]
    recorder.close()


def test_a_batch_that_was_never_done_is_time_outside_of_batches(tmp_path: Path) -> None:
    clock = SimulatedClock()
    recorder = started(tmp_path, clock)
    recorder.open_stage(Stage.TRAIN, 0)
    run_batch(recorder, clock, 0)
    recorder.begin_fetch()
    clock.work(5)
    recorder.end_fetch()
    recorder.begin_batch(1, 0, 4)
    clock.work(30)
    recorder.close()

    (batches,) = records(recorder, "batches")
    assert batches["batch_idx"] == [0]
    epoch = next(r for r in records(recorder, "epoch") if r["stage"] == "train")
    assert (epoch["batches"], epoch["tail_ns"]) == (1, {"data_wait": 5, "other": 30})
