"""How a signal is handled in this process, below Python, which knows only of its own handlers.

`faulthandler`, a Java machine or a C library handle signals that Python takes for unhandled.
Python's own functions can neither see such a handler nor put it back.
"""

from __future__ import annotations

import ctypes
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_BYTES = 256
"""More than any system's `struct sigaction`, whose first member is the handler."""


class SignalAction:
    """What the system did at a signal when this was read."""

    def __init__(self, number: int, action: Any) -> None:
        self._number = number
        self._action = action

    @classmethod
    def of(cls, number: int) -> Self | None:
        """Return how a signal is handled now, None on a system that doesn't tell."""
        action = ctypes.create_string_buffer(_BYTES)
        return cls(number, action) if _sigaction(number, None, action) else None

    @property
    def handler(self) -> int | None:
        """The address of the handler, None where nobody handles the signal."""
        return ctypes.c_void_p.from_buffer(self._action).value

    def put_back(self) -> None:
        """Let the signal be handled like this again."""
        _sigaction(self._number, self._action, None)


@contextmanager
def handled_by(number: int, stand_in: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Let a stand-in handle a signal during the block, in the main thread.

    The handler comes back as Python and the system knew it, also where a signal strikes as it is
    put aside; but not where somebody has put another in its place during the block.
    """
    handler, before, held = signal.getsignal(number), SignalAction.of(number), None
    try:
        signal.signal(number, stand_in)
        held = SignalAction.of(number)
        yield
    finally:
        if signal.getsignal(number) is stand_in:
            now = SignalAction.of(number)
            signal.signal(number, handler)
            is_new = held is not None and now is not None and now.handler != held.handler
            action = now if is_new else before  # one of C, which Python doesn't know of
            if action is not None:
                action.put_back()


def is_default_action(number: int) -> bool:
    """Whether neither Python nor a C library handles a signal in this process."""
    if signal.getsignal(number) is not signal.SIG_DFL:
        return False
    action = SignalAction.of(number)
    return action is not None and action.handler is None


def _sigaction(number: int, new: Any, old: Any) -> bool:
    try:
        return bool(ctypes.PyDLL(None).sigaction(number, new, old) == 0)
    except (OSError, TypeError, AttributeError):  # no such system
        return False
