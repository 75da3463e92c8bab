"""What one thread ran, beside what all of the process did."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from ocr_baseline.measure import processor_time
from ocr_baseline.measure.processor_time import ProcessorClock, ProcessorTime
from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.records import reader
from ocr_baseline.vocabulary import Stage

MILLISECOND = 1_000_000
COMPUTED_S = 0.05

on_linux = pytest.mark.skipif(
    ProcessorClock().read().thread_ns is None, reason="the system doesn't tell"
)


def compute() -> None:
    """Run until this thread has had its processor time."""
    began_s = time.thread_time()
    while time.thread_time() - began_s < COMPUTED_S:
        pass


def in_another_thread() -> None:
    thread = threading.Thread(target=compute)
    thread.start()
    thread.join()


@on_linux
@pytest.mark.parametrize("stays_open", [True, False])
def test_what_another_thread_ran_is_the_processs_and_not_this_ones(stays_open: bool) -> None:
    clock = ProcessorClock(stays_open=stays_open)
    before = clock.read()
    in_another_thread()
    between = clock.read()
    compute()
    after = clock.read()

    beside, own = between.since(before), after.since(between)
    assert beside.cpu_ns >= COMPUTED_S * 1e9
    assert beside.thread_ns is not None
    assert beside.thread_ns < COMPUTED_S * 1e9 / 2
    assert own.thread_ns is not None
    # The thread's own clock and the scheduler's account are read at slightly different instants.
    assert own.thread_ns >= COMPUTED_S * 1e9 - MILLISECOND


def test_where_the_system_does_not_tell_the_threads_time_is_unknown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(processor_time, "SCHEDULER_FILE", str(tmp_path / "{thread}"))
    read = ProcessorClock().read()
    assert (read.thread_ns, read.queued_ns) == (None, None)
    assert read.plus(ProcessorTime(1, 2, 3)) == ProcessorTime(read.cpu_ns + 1, None, None)


@on_linux
def test_a_pass_is_recorded_with_what_the_main_thread_ran_in_it(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.write_header({})
    recorder.resume()
    recorder.open_stage(Stage.TRAIN, 0)
    in_another_thread()
    recorder.close_stage(Stage.TRAIN)
    recorder.close()

    train = next(one for one in reader.load(tmp_path).stages if one.stage is Stage.TRAIN)
    [epoch] = train.epochs
    assert epoch.cpu_s is not None
    assert epoch.thread_s is not None
    assert epoch.cpu_s - epoch.thread_s >= COMPUTED_S / 2


@on_linux
def test_a_recorder_that_goes_on_in_another_thread_counts_that_one(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.write_header({})

    def a_pass() -> None:
        recorder.resume()
        recorder.open_stage(Stage.TRAIN, 0)
        compute()
        recorder.close_stage(Stage.TRAIN)
        recorder.close()

    thread = threading.Thread(target=a_pass)
    thread.start()
    thread.join()

    train = next(one for one in reader.load(tmp_path).stages if one.stage is Stage.TRAIN)
    assert (train.epochs[0].thread_s or 0.0) >= COMPUTED_S - 0.001
