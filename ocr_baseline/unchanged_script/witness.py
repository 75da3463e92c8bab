"""Whether a signal that someone sent to this process went to the command as well.

`timeout`, `pkill -f train.py`, a scheduler and a supervisor signal a process group, or all whose
command line has a word. The kernel doesn't say so to who gets the signal. A process that stands
where the command does, and does nothing else, gets it too.
"""

from __future__ import annotations

import os
import select
import signal
import struct
from typing import TYPE_CHECKING

from ocr_baseline.clocks import monotonic

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

WAIT_S = 0.25
"""How long it is given to get a signal too: `timeout` sends it to its child, then to its group."""
_MEMORY_S = 1.0
_TOLD = struct.Struct("=dB")


class Witness:
    """A process of this one's group that tells which signals it gets.

    Args:
        signals: Those that it tells of; they are blocked already.
        first: What the process calls before anything else.

    Raises:
        OSError: When no process can be started.
    """

    def __init__(self, signals: Collection[signal.Signals], first: Callable[[], None]) -> None:
        self._told, tells = os.pipe()
        try:
            self._pid = os.fork()
        except OSError:
            os.close(self._told)
            os.close(tells)
            raise
        if self._pid == 0:
            _watch(signals, tells, first)
        os.close(tells)

    def saw(self, number: int) -> bool:
        """Whether it got a signal that this process got just now; waits a moment for it."""
        now = monotonic()
        while select.select([self._told], [], [], max(now + WAIT_S - monotonic(), 0))[0]:
            told = os.read(self._told, _TOLD.size)  # a write so short isn't divided
            if not told:  # someone killed it
                return False
            at, seen = _TOLD.unpack(told)
            if seen == number and at > now - _MEMORY_S:
                return True
        return False

    def dismiss(self) -> None:
        """End it."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._told)


def _watch(signals: Collection[signal.Signals], tells: int, first: Callable[[], None]) -> None:
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        first()
        # It must hold no stream, lock or pipe of the user's: who reads one waits for its end.
        os.closerange(0, tells)
        os.closerange(tells + 1, os.sysconf("SC_OPEN_MAX"))
        while True:
            number = signal.sigwait(signals)
            os.write(tells, _TOLD.pack(monotonic(), number))
    finally:
        os._exit(0)
