"""Room for the frames of a signal handler, which runs on top of whatever has been called."""

from __future__ import annotations

import sys
from contextlib import suppress

_FRAMES_OF_HANDLER = 8

_limit_before: int | None = None
"""The limit without the room; None while there is none."""


def widen() -> None:
    """Keep the handler's own frames from failing a recursion that is one call from its limit."""
    global _limit_before
    limit = sys.getrecursionlimit()
    if _limit_before is None or limit != _limit_before + _FRAMES_OF_HANDLER:
        _limit_before = limit
        sys.setrecursionlimit(limit + _FRAMES_OF_HANDLER)


def narrow() -> None:
    """Take the room back, unless the program has set another limit; harmless when repeated."""
    global _limit_before
    if _limit_before is None:
        return
    with suppress(RecursionError):  # Python takes no limit below the depth now: it stays wider
        if sys.getrecursionlimit() == _limit_before + _FRAMES_OF_HANDLER:
            sys.setrecursionlimit(_limit_before)
        _limit_before = None
