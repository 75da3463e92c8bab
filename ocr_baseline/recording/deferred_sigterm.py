"""SIGTERM kept waiting while a report is written.

A launcher whose other process died sends it to those that are left, in the middle of their
reports. Lightning's handler then tells the other ranks of it, which raises where one is gone.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def deferred_sigterm() -> Iterator[None]:
    """Run the block to its end before a SIGTERM that comes meanwhile has its effect.

    Only the main thread can; in another, and where no handler of Python's could be put back, the
    signal comes when it comes.
    """
    handler = signal.getsignal(signal.SIGTERM)
    if handler is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)
        if received:
            signal.raise_signal(signal.SIGTERM)
