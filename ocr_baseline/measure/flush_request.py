"""How the training's thread asks for what it measured to be put on disk."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ocr_baseline.measure.flag import Flag

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 0.05


class FlushRequest:
    """A request that the training's thread makes and a background thread meets."""

    def __init__(self) -> None:
        """Begin with nothing asked for and nobody who waits for requests."""
        self._made = Flag()
        self._met = Flag()
        self._is_worth_waiting = False

    def is_made(self) -> bool:
        """Whether a flush is asked for and has not begun."""
        return self._made.is_up()

    def make(self) -> None:
        """Ask, and wait while the background thread writes, which takes it a millisecond.

        When batches take next to no time, that thread would otherwise fight for its turn, and each
        of its attempts would hold this thread up. A slow disk is waited for once.
        """
        if self._made.is_up():
            return
        self._met.down()
        self._made.up()
        if self._is_worth_waiting:
            self._is_worth_waiting = self._met.wait(PATIENCE_S)

    def serve(self) -> None:
        """A background thread meets requests from now on."""
        self._is_worth_waiting = True

    def stop_serving(self) -> None:
        """No thread meets requests any more; the one that waits for them wakes up."""
        self._is_worth_waiting = False
        self._made.up()

    def wait(self, timeout_s: float) -> bool:
        """Return whether a request is made within `timeout_s` seconds."""
        return self._made.wait(timeout_s)

    @contextmanager
    def being_met(self) -> Iterator[None]:
        """Flush within this context: whoever asked goes on after it, even when the flush fails."""
        self._made.down()
        try:
            yield
        finally:
            self._met.up()

    def withdraw(self) -> None:
        """Forget a request whose rows are gone."""
        self._made.down()
