"""A child ends while a run is ended and reported, and the handler raises, as torch's does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from ocr_baseline.measure import import_trial
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


def test_the_program_hears_nothing_of_a_child_of_ours(told: list[int]) -> None:
    assert import_trial.problem_of("colorsys") is None
    assert told == []


def test_the_program_hears_of_its_own_child_that_ends_with_one_of_ours(told: list[int]) -> None:
    def both_end() -> None:
        with deferred_child_signals():
            child = subprocess.Popen([sys.executable, "-c", ""])
            import_trial.problem_of("colorsys")
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
            time.sleep(0.05)  # the signal is on its way
        child.wait()

    with pytest.raises(LostWorkerError):
        both_end()
    assert told == [signal.SIGCHLD]
