"""Exceptions that a signal handler of the program's raises while our code runs."""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

import ocr_baseline
from ocr_baseline.measure.signal_errors import let_through


class OutOfTime(Exception):
    pass


def raises(number: int, frame: FrameType | None) -> None:
    raise OutOfTime


class Raises:
    def __call__(self, number: int, frame: FrameType | None) -> None:
        raise OutOfTime

    def method(self, number: int, frame: FrameType | None) -> None:
        raise OutOfTime


@pytest.fixture
def alarms() -> Iterator[None]:
    before = signal.getsignal(signal.SIGALRM)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def guarded_alarm() -> None:
    try:
        signal.raise_signal(signal.SIGALRM)
    except OutOfTime as error:
        let_through(error)


@pytest.mark.usefixtures("alarms")
@pytest.mark.parametrize(
    "handler",
    [raises, functools.partial(raises), Raises(), Raises().method],
    ids=["function", "partial", "object", "method"],
)
def test_what_a_handler_raises_is_the_programs(
    handler: Callable[[int, FrameType | None], None],
) -> None:
    signal.signal(signal.SIGALRM, handler)
    with pytest.raises(OutOfTime):
        guarded_alarm()


def test_what_no_handler_raises_is_kept() -> None:
    try:
        raise OutOfTime
    except OutOfTime as error:
        let_through(error)


@pytest.mark.usefixtures("alarms")
@pytest.mark.parametrize("attempt", range(4))
def test_a_timeout_ends_a_recorded_loop_wherever_it_strikes(attempt: int, tmp_path: Path) -> None:
    signal.signal(signal.SIGALRM, raises)
    with pytest.raises(OutOfTime):
        loop_with_a_timeout(tmp_path, 0.05 + attempt / 1000)


def loop_with_a_timeout(folder: Path, seconds: float) -> None:
    with ocr_baseline.record(folder, summary=False) as record, record.stage("train"):
        signal.setitimer(signal.ITIMER_REAL, seconds)
        for _ in record.batches(range(2_000_000)):
            pass
