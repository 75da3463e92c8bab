"""A sample of what the run uses: memory of its processes, of the system and the accelerator."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import psutil

from ocr_baseline.clocks import monotonic
from ocr_baseline.measure.container_limits import own_limits

if TYPE_CHECKING:
    from collections.abc import Callable

LISTING_SHARE = 0.005
FIRST_PSS_AFTER_S = 5.0
PSS_INTERVAL_S = 30.0


class AcceleratorSample(NamedTuple):
    """Memory of the accelerator's allocator in bytes, and how busy the accelerator was.

    `utilization_percent` is None where nothing tells it.
    """

    allocated_bytes: int
    reserved_bytes: int
    utilization_percent: float | None = None


class MemorySample(NamedTuple):
    """Memory in bytes, uses in percent; None where it was not read.

    The resident size (RSS) counts a page in each process that has it; the proportional size (PSS)
    splits a shared page over them, as the pages that forked workers share with their parent.
    """

    main_rss_bytes: int | None
    workers_rss_bytes: int | None
    tree_pss_bytes: int | None
    system_memory_percent: float | None
    accelerator_allocated_bytes: int | None
    accelerator_reserved_bytes: int | None
    accelerator_utilization_percent: float | None


class MemoryProbe:
    """Reads the memory of this process and its descendants, and the accelerator's.

    Asking every process for its parent costs milliseconds on a busy machine, so that is done no
    more often than keeps it under half a percent of the time, and at once when a known child has
    ended. In between only processes that are new are asked: a worker counts from its first sample
    on. PSS makes the kernel walk every page (some 50 ms for a gigabyte): it is
    read for the first time after five seconds and then each half minute, and more rarely where that
    would take more than half a percent of the time.
    """

    def __init__(
        self, read_accelerator: Callable[[], AcceleratorSample | None] = lambda: None
    ) -> None:
        """Begin with this process; its children are not known yet."""
        self._main = psutil.Process()
        self._limits = own_limits()
        self._read_accelerator = read_accelerator
        self._children: list[psutil.Process] | None = None
        self._seen: set[int] = set()
        self._list_again_at_s = float("-inf")
        self._pss_again_at_s = monotonic() + FIRST_PSS_AFTER_S

    def read(self) -> MemorySample:
        """Return the memory as it is now."""
        if monotonic() >= self._list_again_at_s:
            self._children = self._list_children()
        elif self._children is not None:
            self._add_new_children(self._children)
        accelerator = self._read_accelerator()
        return MemorySample(
            main_rss_bytes=_rss_bytes(self._main),
            workers_rss_bytes=self._workers_rss_bytes(),
            tree_pss_bytes=self._tree_pss_bytes(),
            system_memory_percent=self._limits.memory_percent(),
            accelerator_allocated_bytes=accelerator.allocated_bytes if accelerator else None,
            accelerator_reserved_bytes=accelerator.reserved_bytes if accelerator else None,
            accelerator_utilization_percent=(
                accelerator.utilization_percent if accelerator else None
            ),
        )

    def _tree_pss_bytes(self) -> int | None:
        began_s = monotonic()
        if began_s < self._pss_again_at_s:
            return None
        if self._children is None:
            return None
        sizes = [_pss_bytes(process) for process in (self._main, *self._children)]
        now_s = monotonic()
        cost_s = now_s - began_s
        self._pss_again_at_s = now_s + max(PSS_INTERVAL_S, cost_s / LISTING_SHARE)
        return None if sizes[0] is None else sum(size for size in sizes if size is not None)

    def _workers_rss_bytes(self) -> int | None:
        """Return the memory of the known children; None where nobody could look who they are."""
        if self._children is None:
            return None
        sizes = [_rss_bytes(child) for child in self._children]
        if None in sizes:
            self._children = self._list_children()
            sizes = [_rss_bytes(child) for child in self._children or ()]
        return sum(size for size in sizes if size is not None)

    def _add_new_children(self, children: list[psutil.Process]) -> None:
        """Add the processes that were started by this one or a child since the last look."""
        pids = set(psutil.pids())
        parents = {pid: _parent_pid(pid) for pid in pids - self._seen}
        self._seen = pids
        family = {self._main.pid, *(child.pid for child in children)}
        while found := [pid for pid, parent in parents.items() if parent in family]:
            for pid in found:
                del parents[pid]
                family.add(pid)
                with suppress(psutil.Error):  # it has ended since
                    children.append(psutil.Process(pid))

    def _list_children(self) -> list[psutil.Process] | None:
        began_s = monotonic()
        self._seen = set(psutil.pids())
        try:
            return self._main.children(recursive=True)
        except psutil.Error:
            return None
        finally:
            now_s = monotonic()
            self._list_again_at_s = now_s + (now_s - began_s) / LISTING_SHARE


def _parent_pid(pid: int) -> int | None:
    try:
        return int(psutil.Process(pid).ppid())
    except psutil.Error:
        return None


def _rss_bytes(process: psutil.Process) -> int | None:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return None


def _pss_bytes(process: psutil.Process) -> int | None:
    """Return the proportional size; None where the system has none (only Linux does)."""
    try:
        return int(process.memory_full_info().pss)
    except (psutil.Error, AttributeError, OSError):
        return None
