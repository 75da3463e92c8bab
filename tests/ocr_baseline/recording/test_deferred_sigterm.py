"""SIGTERM while a report is written."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ocr_baseline.recording.deferred_sigterm import deferred_sigterm

LONG_S = 60.0


@pytest.fixture
def events() -> Iterator[list[str]]:
    happened: list[str] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: happened.append("signal"))
    yield happened
    signal.signal(signal.SIGTERM, before)


def test_a_signal_has_its_effect_once_the_block_is_over(events: list[str]) -> None:
    with deferred_sigterm(), deferred_sigterm():
        signal.raise_signal(signal.SIGTERM)
        events.append("block")
    assert events == ["block", "signal"]


def test_a_block_that_raises_lets_the_signal_have_its_effect_as_well(events: list[str]) -> None:
    @deferred_sigterm()
    def block() -> None:
        signal.raise_signal(signal.SIGTERM)
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        block()
    assert events == ["signal"]


def test_a_second_signal_gives_the_block_up_and_comes_after_the_word_of_it(
    events: list[str],
) -> None:
    with deferred_sigterm(events.append), deferred_sigterm():
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        events.append("block")
    assert events == ["SIGTERM came before it was done", "signal"]


def test_a_block_that_a_signal_brought_about_is_given_up_at_the_next(events: list[str]) -> None:
    with deferred_sigterm(events.append, has_come=True):
        signal.raise_signal(signal.SIGTERM)
        events.append("block")
    assert events == ["SIGTERM came before it was done", "signal"]


@pytest.mark.slow
def test_a_block_that_a_signal_brought_about_is_given_up_in_seconds(events: list[str]) -> None:
    with deferred_sigterm(events.append, has_come=True):
        time.sleep(LONG_S)
        events.append("block")
    assert events == ["SIGTERM came before it was done"]


def test_a_block_leaves_no_thread_behind(events: list[str]) -> None:
    before = set(threading.enumerate())
    for _ in range(100):
        with deferred_sigterm():
            pass
        assert set(threading.enumerate()) <= before


def test_another_thread_leaves_signals_alone(events: list[str]) -> None:
    def block() -> None:
        with deferred_sigterm():
            events.append("block")

    handler = signal.getsignal(signal.SIGTERM)
    with ThreadPoolExecutor() as pool:
        pool.submit(block).result()
    assert signal.getsignal(signal.SIGTERM) is handler
    assert events == ["block"]
