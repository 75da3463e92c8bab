"""SIGTERM kept waiting while a report is written, for some seconds at most.

A launcher whose other process died sends it to those that are left, in the middle of their
reports. Lightning's handler then tells the other ranks of it, which raises where one is gone. Who
sent it may send SIGKILL soon afterwards, so a report that isn't done by then is given up: its
records are on disk.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ocr_baseline.measure.flag import Flag
from ocr_baseline.measure.own_threads import own_thread, start
from ocr_baseline.measure.signal_action import handled_by
from ocr_baseline.signal_errors import suppress_failures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

GRACE_S = 3.0
"""How long a block may go on after the first signal; a usual report takes less."""

_REPEAT_S = 0.5
"""Code inside the block may have caught what was to end it: it is told again so soon."""


class _CutShort(BaseException):
    """Ends a block in which SIGTERM waited too long; no `except Exception` holds it up."""


class _Hold:
    """The handler in the meantime: it keeps the first signal, and ends the block at the next.

    A thread of its own sends that next one when the grace is over, to the main thread, so that a
    call which waits there is interrupted.
    """

    def __init__(self, *, has_come: bool) -> None:
        self.is_pending = False
        self._has_come = has_come
        self._is_overdue = False
        self._is_over = False
        self._first = Flag()
        self._end = Flag()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        with suppress_failures():  # where no thread can be started, a second signal ends the block
            self._thread = own_thread(self._watch, "ocr-baseline-sigterm")
            start(self._thread)
        if has_come:
            self._first.up()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        is_end = self._has_come and not self._is_over
        self._has_come = True
        if not self._is_overdue:  # else it is the thread's own
            self.is_pending = True
        if is_end:
            raise _CutShort
        self._first.up()

    def close(self) -> None:
        """Let no signal end anything from here on, and wait for the thread, which ends at once."""
        self._is_over = True
        self._end.up()
        self._first.up()
        with self._lock:  # none of the thread's own is on its way any more
            pass
        if self._thread is not None and self._thread.ident is not None:  # it could be started
            with suppress_failures():  # a thread of another kind may refuse to be waited for
                self._thread.join()

    def _watch(self) -> None:
        self._first.wait()
        pause_s = GRACE_S
        while not self._end.wait(pause_s):
            pause_s = _REPEAT_S
            with self._lock:
                if not self._end.is_up():
                    self._is_overdue = True
                    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)


@contextmanager
def deferred_sigterm(
    given_up: Callable[[str], None] = lambda cause: None, *, has_come: bool = False
) -> Iterator[None]:
    """Run the block before a SIGTERM that comes meanwhile has its effect.

    The block is given up `GRACE_S` seconds after the signal, or at a second one. Only the main
    thread can keep a signal waiting; in another, and where no handler of Python's could be put
    back, it comes when it comes. A block inside such a block changes nothing.

    Args:
        given_up: Told why, once, before the signal has its effect.
        has_come: Whether a SIGTERM that had its effect is what brought the block about: the seconds
            run from the block's beginning.
    """
    handler = signal.getsignal(signal.SIGTERM)
    is_main = threading.current_thread() is threading.main_thread()
    if handler is None or isinstance(handler, _Hold) or not is_main:
        yield
        return
    hold = _Hold(has_come=has_come)
    try:
        with handled_by(signal.SIGTERM, hold):
            try:
                yield
            finally:
                hold.close()
    except _CutShort:
        hold.close()
        with suppress(Exception):  # the signal's effect mustn't wait for what fails here
            given_up("SIGTERM came before it was done")
    finally:
        hold.close()
        if hold.is_pending:
            signal.raise_signal(signal.SIGTERM)
