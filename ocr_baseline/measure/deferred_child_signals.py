"""SIGCHLD kept waiting: while a run is ended and reported, and while children of ours run.

A program may take the end of any child for that of its own. torch answers it by an exception where
a loader's worker has died, in whatever code runs then: a run that such a death has ended already
would have its report in the way of that exception, and the trainer would be cut off before it has
shut its loaders down.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ocr_baseline.measure.signal_action import handled_by

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_own_ends: list[None] = []
"""One for each child of ours that has ended, in any thread."""


class _Hold:
    """The handler in the meantime."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.times += 1


def own_child_ended() -> None:
    """Note that a child of ours has ended and was waited for: the program doesn't hear of it."""
    _own_ends.append(None)


@contextmanager
def deferred_child_signals(*, is_failing: bool = False) -> Iterator[None]:
    """Run the block before the program's handler hears of its own children that end meanwhile.

    Only the main thread can keep a signal waiting, for a handler of Python's. One that the program
    blocks is for a thread of its own.

    Args:
        is_failing: Whether an exception is ending the run: one that the handler raises is dropped
            then. Else it leaves the block.
    """
    number = getattr(signal, "SIGCHLD", None)
    handler = None if number is None else signal.getsignal(number)
    is_main = threading.current_thread() is threading.main_thread()
    if number is None or not callable(handler) or isinstance(handler, _Hold) or not is_main:
        yield
        return
    if number in signal.pthread_sigmask(signal.SIG_BLOCK, ()):
        yield
        return
    hold, own_before, had_ended = _Hold(), len(_own_ends), _has_ended_child()
    try:
        with handled_by(number, hold):
            yield
    finally:
        times = max(hold.times - (len(_own_ends) - own_before), 0)
        if hold.times and not times and not had_ended and _has_ended_child():
            times = 1  # the system has told of it and of a child of ours at once
        for _ in range(times):
            try:
                handler(number, sys._getframe())
            except Exception:  # the handler's own: an exception is ending the run already
                if not is_failing:
                    raise


def _has_ended_child() -> bool:
    """Whether a child has ended that nobody has waited for; it stays as it is."""
    try:
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except (OSError, AttributeError):  # no child, or a system without this call
        return False
