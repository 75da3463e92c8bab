"""How the training's thread asks for what it measured to be put on disk."""

from __future__ import annotations

import threading

PATIENCE_S = 0.05


class FlushRequest(threading.Event):
    """Set while a flush is asked for; whoever flushes clears it first and calls `done` at last.

    Attributes:
        is_served: Whether a background thread flushes.
    """

    def __init__(self) -> None:
        """Begin with nothing asked for and nobody to serve it."""
        super().__init__()
        self.is_served = False
        self._done = threading.Event()

    def make(self) -> None:
        """Ask, and wait while the background thread writes, which takes it a millisecond.

        Where batches take next to nothing that thread would try for long to get its turn, and each
        of its tries would hold this one up. A disk that is slow is waited for once.
        """
        if self.is_set():
            return
        self._done.clear()
        self.set()
        if self.is_served:
            self.is_served = self._done.wait(PATIENCE_S)

    def done(self) -> None:
        """The flush is over, well or not."""
        self._done.set()
