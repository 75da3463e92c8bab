"""The watch over the other ranks, whose time stands still while a report is written.

Where Lightning started the other ranks itself, a thread of rank 0 looks every five seconds whether
one of them has died, and then ends all of them by SIGKILL. A rank 0 that is about to end by an
exception of its own (the same as theirs, or the word of a lost connection) would be killed in the
middle of its report: with another exit status, and before Python has shown the exception.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ocr_baseline.clocks import monotonic, sleep
from ocr_baseline.measure.flag import Flag
from ocr_baseline.signal_errors import suppress_failures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONGEST_S = 10.0
"""How long a report may keep the watch waiting; a usual one takes less."""

_CLASS = "_ChildProcessObserver"
_ENDS_ALL = "_terminate_all"


class _Hold:
    """Ends all ranks as much later as a report has taken."""

    def __init__(self, end_all: Callable[[], None]) -> None:
        self._end_all = end_all
        self._began_s = monotonic()
        self._taken_s = LONGEST_S
        self._is_over = Flag()

    def __call__(self) -> None:
        due_s = monotonic()
        self._is_over.wait(max(0.0, self._began_s + LONGEST_S - due_s))
        sleep(max(0.0, due_s + self._taken_s - monotonic()))
        self._end_all()

    def release(self) -> None:
        """The report is over."""
        self._taken_s = min(LONGEST_S, monotonic() - self._began_s)
        self._is_over.up()


@contextmanager
def watch_stands_still() -> Iterator[None]:
    """Run the block without the time that it takes being any for the watch over other ranks."""
    holds: list[_Hold] = []
    with suppress_failures():  # another version's watch goes on
        for watch in _watches():
            hold = _Hold(getattr(watch, _ENDS_ALL))
            setattr(watch, _ENDS_ALL, hold)
            holds.append(hold)
    try:
        yield
    finally:
        for hold in holds:
            hold.release()


def _watches() -> list[Any]:
    """The threads that watch; in Lightning 2.1.0 what a thread runs."""
    return [
        watch
        for thread in threading.enumerate()
        for watch in (thread, getattr(thread, "_target", None))
        if any(kind.__name__ == _CLASS for kind in type(watch).__mro__)
    ]
