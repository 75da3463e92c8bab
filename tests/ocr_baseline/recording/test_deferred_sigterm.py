"""SIGTERM while a report is written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ocr_baseline.recording.deferred_sigterm import deferred_sigterm


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
