"""Calls that may hang."""

from __future__ import annotations

import threading

import pytest

from ocr.performance.sources.deadline import Overdue, Progress, call_within


def test_a_call_that_returns_gives_its_value() -> None:
    assert call_within(lambda _: 42, timeout_s=5) == 42


def test_an_error_of_the_call_is_raised_as_it_is() -> None:
    def fail(_: Progress) -> None:
        raise KeyError("x")

    with pytest.raises(KeyError, match="x"):
        call_within(fail, timeout_s=5)


def test_a_call_that_hangs_is_given_up() -> None:
    released = threading.Event()

    with pytest.raises(Overdue, match=r"nothing came for 0.05 s"):
        call_within(lambda _: released.wait(), timeout_s=0.05)
    released.set()


def test_progress_gives_the_call_its_time_again() -> None:
    now_s = [0.0]
    progress = Progress(clock=lambda: now_s[0])
    now_s[0] = 9.0
    progress.made()
    now_s[0] = 10.0

    assert progress.idle_s() == 1.0
