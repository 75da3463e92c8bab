"""Threads that measure: what they call is nobody's operation.

On the path of timed calls: standard library only.
"""

from __future__ import annotations

import threading
from threading import get_ident

own_threads: set[int] = set()
"""The identifiers of those that run now."""


class OwnThread(threading.Thread):
    """A thread of the measuring; it ends with the process."""

    def run(self) -> None:
        """Do the thread's work, known as ours."""
        own_threads.add(get_ident())
        try:
            super().run()
        finally:
            own_threads.discard(get_ident())
