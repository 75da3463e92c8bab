"""A call that may hang, given up once nothing has come from it for some seconds."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Overdue(Exception):
    """The call neither returned nor made progress in time."""


class Progress:
    """Handed to the call, which says by `made` that it is getting on."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last_s = clock()

    def made(self) -> None:
        """Start the time anew."""
        self._last_s = self._clock()

    def idle_s(self) -> float:
        """Return the seconds since the last progress."""
        return self._clock() - self._last_s


class _Outcome(Generic[T]):
    """What became of the call."""

    value: T
    error: BaseException | None = None


def call_within(function: Callable[[Progress], T], timeout_s: float) -> T:
    """Return what the call returns, or raise what it raises.

    The call runs in a daemon thread: one that hangs is left behind and ends with the process.

    Raises:
        Overdue: Nothing came for `timeout_s` seconds.
    """
    outcome: _Outcome[T] = _Outcome()
    progress = Progress()

    def run() -> None:
        try:
            outcome.value = function(progress)
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            outcome.error = error

    thread = threading.Thread(target=run, name="wandb-reader", daemon=True)
    thread.start()
    while thread.is_alive():
        remaining_s = timeout_s - progress.idle_s()
        if remaining_s <= 0:
            raise Overdue(f"nothing came for {timeout_s:g} s")
        thread.join(remaining_s)
    if outcome.error is not None:
        raise outcome.error
    return outcome.value
