"""A flag between two threads that a signal can't leave locked."""

from __future__ import annotations

import threading
from contextlib import suppress


class Flag:
    """Raised by one thread and waited for by another, as `threading.Event`.

    An Event takes its lock in Python code: a signal handler that raises there leaves it held, and
    one that raises the same flag there waits for itself. Each method here is one call of a lock's
    own, which a signal can't cut in two. One thread at a time may wait.
    """

    def __init__(self) -> None:
        """Begin with the flag down."""
        self._down = threading.Lock()
        self._down.acquire()

    def is_up(self) -> bool:
        """Whether the flag is raised."""
        return not self._down.locked()

    def up(self) -> None:
        """Raise the flag; who waits for it goes on."""
        with suppress(RuntimeError):  # it is up
            self._down.release()

    def down(self) -> None:
        """Take the flag down."""
        self._down.acquire(blocking=False)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Return whether the flag is up, at once or within `timeout_s` seconds; None waits on."""
        if not self._down.acquire(timeout=-1 if timeout_s is None else timeout_s):
            return False
        self.up()
        return True
