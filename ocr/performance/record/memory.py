"""A sample of the run's memory: the process tree, its main process, and the whole system."""

from __future__ import annotations

import time
from typing import NamedTuple

import psutil

LISTING_SHARE = 0.005


class MemorySample(NamedTuple):
    """Resident memory in bytes and the system's use in percent; None where not readable."""

    main_rss_bytes: int | None
    workers_rss_bytes: int | None
    system_memory_percent: float | None


class MemoryProbe:
    """Reads the memory of this process and its descendants.

    Listing all processes costs milliseconds on a busy machine, so the list of children is renewed
    no more often than keeps the listing under half a percent of the time, and at once when a
    known child has ended. Memory that processes share counts in each of them (RSS).
    """

    def __init__(self) -> None:
        """Begin with this process and no known children."""
        self._main = psutil.Process()
        self._children: list[psutil.Process] = []
        self._list_again_at_s = float("-inf")

    def read(self) -> MemorySample:
        """Return the memory as it is now."""
        if time.monotonic() >= self._list_again_at_s:
            self._children = self._list_children()
        return MemorySample(
            _rss_bytes(self._main), self._workers_rss_bytes(), psutil.virtual_memory().percent
        )

    def _workers_rss_bytes(self) -> int | None:
        sizes = [_rss_bytes(child) for child in self._children]
        if None in sizes:
            self._children = self._list_children()
            sizes = [_rss_bytes(child) for child in self._children]
        return sum(size for size in sizes if size is not None)

    def _list_children(self) -> list[psutil.Process]:
        began_s = time.monotonic()
        try:
            return self._main.children(recursive=True)
        except psutil.Error:
            return []
        finally:
            now_s = time.monotonic()
            self._list_again_at_s = now_s + (now_s - began_s) / LISTING_SHARE


def _rss_bytes(process: psutil.Process) -> int | None:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return None
