"""SIGCHLD kept waiting while a run is ended and reported.

torch answers it by an exception where a loader's worker has died, in whatever code runs then. A run
that such a death has ended already would have its report in the way of that exception: the trainer
would be cut off before it has shut its loaders down.
"""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


class _Hold:
    """The handler in the meantime."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.times += 1


@contextmanager
def deferred_child_signals(*, is_failing: bool) -> Iterator[None]:
    """Run the block before the program's handler hears of children that end meanwhile.

    Only the main thread can keep a signal waiting, and only for a handler of Python's.

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
    hold = _Hold()
    signal.signal(number, hold)
    try:
        yield
    finally:
        if signal.getsignal(number) is hold:
            signal.signal(number, handler)
        for _ in range(hold.times):
            try:
                handler(number, sys._getframe())
            except Exception:
                if not is_failing:
                    raise
