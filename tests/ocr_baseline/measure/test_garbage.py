from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocr_baseline.measure.garbage import MOST_WAITING
from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.model.run import GarbageRecord
from ocr_baseline.records import reader
from ocr_baseline.records.format import ROWS_PER_RECORD
from ocr_baseline.vocabulary import Stage


@pytest.fixture(autouse=True)
def no_collection_of_its_own() -> Iterator[None]:
    """Nor listeners of the test tools, which are Python's and lose what a signal handler raises."""
    was_enabled = gc.isenabled()
    gc.disable()
    listeners = list(gc.callbacks)
    gc.callbacks.clear()
    yield
    gc.callbacks[:] = listeners
    if was_enabled:
        gc.enable()


def recorded(recorder: Recorder) -> tuple[GarbageRecord, ...]:
    recorder.close()
    return reader.load(recorder.folder).garbage


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    found = Recorder(tmp_path)
    found.write_header({})
    found.resume()
    yield found
    found.close()


def test_collections_count_for_the_stage_and_the_line_that_they_hold(recorder: Recorder) -> None:
    recorder.open_stage(Stage.TRAIN, 0)
    with recorder.span("forward"):
        gc.collect()
        gc.collect(0)
    recorder.close_stage(Stage.TRAIN)

    [garbage] = recorded(recorder)
    assert (garbage.stage, garbage.collections, garbage.full_collections) == (Stage.TRAIN, 2, 1)
    assert set(garbage.lines_s) == {"forward"}
    assert garbage.total_s > 0


def test_collections_in_other_threads_are_not_the_main_threads(recorder: Recorder) -> None:
    thread = threading.Thread(target=gc.collect)
    thread.start()
    thread.join()
    assert recorded(recorder) == ()


def test_the_listener_is_there_while_time_is_charged_and_others_stay(tmp_path: Path) -> None:
    class Listener:
        def __call__(self, phase: str, info: dict[str, int]) -> None: ...

        def __eq__(self, other: object) -> bool:
            raise AssertionError("compared")

        __hash__ = None  # type: ignore[assignment]  # as Python does with `__eq__` alone

    own = Listener()
    gc.callbacks.insert(0, own)
    before = [id(one) for one in gc.callbacks]
    try:
        recorder = Recorder(tmp_path)
        recorder.resume()
        assert len(gc.callbacks) == len(before) + 1
        recorder.pause()
        assert [id(one) for one in gc.callbacks] == before
        recorder.close()
    finally:
        del gc.callbacks[0]


def test_what_a_signal_handler_raises_in_a_collection_reaches_the_program(
    recorder: Recorder,
) -> None:
    """It is raised at the first instruction of Python's after the pause."""

    def ended(*_: object) -> None:
        raise TimeoutError

    held = [[number] for number in range(500_000)]
    before = signal.signal(signal.SIGALRM, ended)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.002)
        with pytest.raises(TimeoutError):
            gc.collect()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert len(held) == 500_000
    [garbage] = recorded(recorder)
    assert garbage.full_collections == 1


def test_a_forked_child_has_no_listener_of_ours(recorder: Recorder) -> None:
    here = len(gc.callbacks)
    child = os.fork()
    if child == 0:
        os._exit(len(gc.callbacks))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == here - 1


def test_notes_that_nobody_takes_are_dropped(recorder: Recorder) -> None:
    recorder.open_stage(Stage.TRAIN, 0)
    for _ in range(MOST_WAITING // 2 + 1):
        gc.collect(0)
    for number in range(ROWS_PER_RECORD):
        recorder.begin_fetch()
        recorder.end_fetch()
        recorder.begin_batch(number, 0, 1)
        recorder.finish_batch()
    recorder.close_stage(Stage.TRAIN)
    assert recorded(recorder) == ()
