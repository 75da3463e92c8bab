"""Room for the frames that timed calls add: a recursion goes as deep as it goes without us."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress

STEP = 32
"""So many open calls of a recursion make room at once, for themselves and for the next ones."""


class RecursionRoom:
    """Raises Python's recursion limit while timed calls are deep inside each other.

    A limit that the user's code sets meanwhile is left alone.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._added = 0
        self._limit = 0

    def take(self, depth: int) -> None:
        """A timed call begins inside `depth` others."""
        if depth and not depth % STEP:
            self._change(STEP if self._added else 2 * STEP)

    def give_back(self, depth: int) -> None:
        """A timed call inside `depth` others has ended."""
        if depth and not depth % STEP:
            self._change(-STEP if depth > STEP else -2 * STEP)

    def _change(self, change: int) -> None:
        with self._lock, suppress(RecursionError):  # Python takes no limit below the depth now
            limit = sys.getrecursionlimit()
            if limit != self._limit:
                self._added = 0
            change = max(change, -self._added)
            if change:
                sys.setrecursionlimit(limit + change)
                self._added += change
                self._limit = limit + change


recursion_room = RecursionRoom()
