"""Threads that measure: what they call is nobody's operation.

On the path of timed calls: standard library only.
"""

from __future__ import annotations

import threading
from threading import get_ident
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

START_S = 5.0
"""So long a thread may take to its first step, which is its own to take: microseconds, usually."""

own_threads: set[int] = set()
"""The identifiers of those that run now."""


class _Begun(threading.Event):
    """That a thread has taken its first step; `Thread.start` waits for it, here not for ever."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(START_S if timeout is None else timeout)


def own_thread(target: Callable[[], object], name: str) -> threading.Thread:
    """Return a thread of the measuring, not started yet; it ends with the process.

    It is whatever `threading.Thread` is now: gevent puts a class of its own there, and one that was
    derived from Python's before would never be seen to end.
    """

    def known_as_ours() -> None:
        own_threads.add(get_ident())
        try:
            target()
        finally:
            own_threads.discard(get_ident())

    return threading.Thread(target=known_as_ours, name=name, daemon=True)


def start(thread: threading.Thread) -> None:
    """Start a thread of `own_thread`'s.

    Where memory has run out, a thread may end before its first step. Python's `start` waits for
    that step without end, up to 3.14 (https://github.com/python/cpython/issues/140746).

    Raises:
        RuntimeError: When the system can't start one, or it has not begun within `START_S`.
    """
    begun = getattr(thread, "_started", None)
    if type(begun) is threading.Event:
        vars(thread)["_started"] = begun = _Begun()
    thread.start()
    if isinstance(begun, _Begun) and not begun.is_set():
        raise RuntimeError(f"the thread {thread.name} has not begun")
