"""A child ends while a run is ended and reported, and the handler raises, as torch's does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ocr_baseline.measure import environment
from ocr_baseline.measure.deferred_child_signals import deferred_child_signals

if TYPE_CHECKING:
    from collections.abc import Iterator


class LostWorkerError(RuntimeError):
    pass


@pytest.fixture
def told() -> Iterator[list[int]]:
    told: list[int] = []

    def handler(number: int, frame: Any) -> None:
        told.append(number)
        raise LostWorkerError

    before = signal.signal(signal.SIGCHLD, handler)
    yield told
    assert signal.signal(signal.SIGCHLD, before) is handler


def let_a_child_end() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    deadline_s = time.monotonic() + 30.0
    while child.poll() is None and time.monotonic() < deadline_s:
        time.sleep(0.01)


def test_a_failing_run_goes_on_to_its_end(told: list[int]) -> None:
    steps = []
    with deferred_child_signals(is_failing=True):
        let_a_child_end()
        let_a_child_end()
        steps.append("the report")
    steps.append("the trainer's own end")

    assert steps == ["the report", "the trainer's own end"]
    assert told == [signal.SIGCHLD, signal.SIGCHLD]


def test_a_run_that_has_not_failed_is_told_after_its_report(told: list[int]) -> None:
    steps = []

    def report() -> None:
        with deferred_child_signals(is_failing=False):
            with deferred_child_signals(is_failing=True):  # one inside another changes nothing
                let_a_child_end()
            steps.append("the report")

    with pytest.raises(LostWorkerError):
        report()
    assert steps == ["the report"]
    assert told == [signal.SIGCHLD]


def test_the_program_hears_nothing_of_the_git_that_a_run_asks(told: list[int]) -> None:
    found = environment.volatile(Path(__file__).parent)

    assert "git_commit" in found
    assert told == []


def test_the_program_hears_of_its_own_child_that_ends_with_one_of_ours(told: list[int]) -> None:
    def both_end() -> None:
        with deferred_child_signals():
            child = subprocess.Popen([sys.executable, "-c", ""])
            environment.volatile(Path(__file__).parent)
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
            time.sleep(0.05)  # the signal is on its way
        child.wait()

    with pytest.raises(LostWorkerError):
        both_end()
    assert told == [signal.SIGCHLD]


def test_in_a_thread_git_is_not_asked_where_the_program_would_hear_of_it(told: list[int]) -> None:
    found: list[dict[str, object]] = []
    thread = threading.Thread(
        target=lambda: found.append(environment.volatile(Path(__file__).parent))
    )
    thread.start()
    thread.join()

    assert found[0].get("git_commit") is None
    assert told == []


def test_git_is_not_asked_where_a_thread_of_the_programs_waits_for_the_signal() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    try:
        found = environment.volatile(Path(__file__).parent)
        assert signal.SIGCHLD not in signal.sigpending()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert found.get("git_commit") is None
