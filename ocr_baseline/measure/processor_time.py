"""Processor time of this process, and how long its main thread stood ready without a core.

What a piece of work took beyond both, it waited: for a disk, a network, a lock.
"""

from __future__ import annotations

import os
from contextlib import suppress
from time import process_time_ns
from typing import NamedTuple

SCHEDULER_FILE = "/proc/self/schedstat"
"""Linux: nanoseconds that the main thread ran, nanoseconds that it was ready and didn't, turns."""


class ProcessorTime(NamedTuple):
    """Nanoseconds since the process began; `queued_ns` is None where the system doesn't tell."""

    cpu_ns: int
    queued_ns: int | None

    def since(self, earlier: ProcessorTime) -> ProcessorTime:
        """Return what came to it since an earlier reading."""
        is_known = self.queued_ns is not None and earlier.queued_ns is not None
        queued_ns = (self.queued_ns or 0) - (earlier.queued_ns or 0) if is_known else None
        return ProcessorTime(self.cpu_ns - earlier.cpu_ns, queued_ns)


class ProcessorClock:
    """Reads both in about 5 µs, from a file that stays open.

    The processor time is that of all threads of the process: those in which torch computes count.
    """

    def __init__(self) -> None:
        """Open the scheduler's file, where there is one."""
        self._file: int | None = None
        with suppress(OSError):
            self._file = os.open(SCHEDULER_FILE, os.O_RDONLY)

    def read(self) -> ProcessorTime:
        """Return both as they are now."""
        return ProcessorTime(process_time_ns(), self._queued_ns())

    def _queued_ns(self) -> int | None:
        if self._file is None:
            return None
        try:
            return int(os.pread(self._file, 64, 0).split()[1])
        except (OSError, ValueError, IndexError):  # the process may close what it didn't open
            self._file = None
            return None
