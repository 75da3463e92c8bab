"""Threads that measure: what they call is nobody's operation.

On the path of timed calls: standard library only.
"""

from __future__ import annotations

import threading
from threading import get_ident
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

own_threads: set[int] = set()
"""The identifiers of those that run now."""


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
