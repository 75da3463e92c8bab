"""How far a training in another process has come, however that process ends."""

from __future__ import annotations

import mmap
import os
import struct
import time


class Progress:
    """Numbers that a killed process leaves to its parent: batches finished, a sum of weights."""

    def __init__(self) -> None:
        """Share a page with the processes forked later."""
        self._page = mmap.mmap(-1, mmap.PAGESIZE)

    @property
    def batches(self) -> int:
        """Training batches whose hooks have all ended."""
        return int(struct.unpack_from("q", self._page, 0)[0])

    @batches.setter
    def batches(self, value: int) -> None:
        struct.pack_into("q", self._page, 0, value)

    @property
    def weights(self) -> float:
        """Sum of the weights when the training ended, 0 before."""
        return float(struct.unpack_from("d", self._page, 8)[0])

    @weights.setter
    def weights(self, value: float) -> None:
        struct.pack_into("d", self._page, 8, value)


def wait_for_batches(progress: Progress, batches: int, pid: int, timeout_s: float) -> bool:
    """Wait until the training has come so far; False where it ended or took too long."""
    deadline_s = time.monotonic() + timeout_s
    while progress.batches < batches:
        ended, _ = os.waitpid(pid, os.WNOHANG)
        if ended or time.monotonic() > deadline_s:
            return False
        time.sleep(0.0005)
    return True


def wait_for_end(progress: Progress, pid: int, timeout_s: float) -> None:
    """Wait until the training has come to its end, or its process has."""
    deadline_s = time.monotonic() + timeout_s
    while progress.weights == 0.0 and time.monotonic() < deadline_s:
        # A process that is to be waited for afterwards must not be waited for here.
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return
        time.sleep(0.01)
