"""Exceptions that a signal handler of the program's raises while our code runs."""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

from ocr_baseline.signal_errors import let_through


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
