"""What a container lets this process use, from the kernel's control groups (versions 1 and 2).

A group's limit holds for everything inside it, so the tightest one on the way up counts. What
can't be read limits nothing: outside Linux, and where the files are hidden, the machine is all
there is to tell.
"""

from __future__ import annotations

import functools
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

MOUNT = "sys/fs/cgroup"
CONTROLLERS = frozenset({"cpu", "memory", ""})
"""Those that limit what is told here; version 2 has one unnamed hierarchy for all."""

NO_MEMORY_LIMIT_BYTES = 2**60
"""Version 1 writes "no limit" as nearly 2**63 bytes."""


@dataclass(frozen=True, kw_only=True)
class ContainerLimits:
    """The tightest limits; None where there is none.

    `cpus` is processor time per second, as 1.5; the files of the folder `cpu_group` tell how often
    it was used up, those of `memory_group` how much of `memory_bytes` is in use.
    """

    cpus: float | None = None
    cpu_group: Path | None = None
    memory_bytes: int | None = None
    memory_group: Path | None = None

    def cpu_count(self) -> int:
        """Return how many processors this process may use, a fraction rounded up.

        Cpusets and affinity count as well as the quota.
        """
        has_affinity = hasattr(os, "sched_getaffinity")
        cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
        return cores if self.cpus is None else max(1, min(cores, math.ceil(self.cpus)))

    def memory_size_bytes(self) -> int:
        """Return how much memory this process may use: the container's, or the machine's."""
        machine_bytes = int(psutil.virtual_memory().total)
        return machine_bytes if self.memory_bytes is None else min(machine_bytes, self.memory_bytes)

    def memory_percent(self) -> float:
        """Return the share in use of the memory that this process may use, in percent.

        Like the machine's own figure, a container's leaves out what the kernel can drop at once:
        the cached pages of files that nobody uses.
        """
        system = psutil.virtual_memory()
        if self.memory_group is None or not self.memory_bytes or self.memory_bytes >= system.total:
            return float(system.percent)
        used_bytes = _memory_in_use_bytes(self.memory_group)
        if used_bytes is None:
            return float(system.percent)
        return min(100.0, 100 * used_bytes / self.memory_bytes)


def container_limits(root: Path = Path("/")) -> ContainerLimits:
    """Return the limits on this process; `root` is where `proc` and `sys` are."""
    cpus: float | None = None
    cpu_group: Path | None = None
    memory_bytes: int | None = None
    memory_group: Path | None = None
    for group in _groups(root):
        quota, limit_bytes = _cpu_quota(group), _memory_limit_bytes(group)
        if quota is not None and (cpus is None or quota < cpus):
            cpus, cpu_group = quota, group
        if limit_bytes is not None and (memory_bytes is None or limit_bytes < memory_bytes):
            memory_bytes, memory_group = limit_bytes, group
    return ContainerLimits(
        cpus=cpus, cpu_group=cpu_group, memory_bytes=memory_bytes, memory_group=memory_group
    )


@functools.cache
def own_limits() -> ContainerLimits:
    """Return the limits on this process as they were when they were first asked for."""
    return container_limits()


def _groups(root: Path) -> Iterator[Path]:
    """Yield the folders of the groups that this process is in, each before those around it.

    A container may see its own group as the mount itself, and its path as the host names it: the
    mount is looked at in any case.
    """
    for line in group_text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if not CONTROLLERS.intersection(controllers.split(",")):
            continue
        names = {controllers, *controllers.split(",")} if controllers else {"", "unified"}
        for mount in (root / MOUNT / name for name in names):
            inner = mount / path.lstrip("/")
            if ".." not in inner.parts:
                yield inner
                yield from (outer for outer in inner.parents if mount in outer.parents)
            yield mount


def _cpu_quota(group: Path) -> float | None:
    """Return the processors' worth of time that a group may use."""
    quota, _, period = group_text(group / "cpu.max").partition(" ")
    if not quota:
        quota = group_text(group / "cpu.cfs_quota_us")
        period = group_text(group / "cpu.cfs_period_us")
    quota_us, period_us = _number(quota), _number(period)
    return quota_us / period_us if quota_us and period_us else None


def _memory_limit_bytes(group: Path) -> int | None:
    text = group_text(group / "memory.max") or group_text(group / "memory.limit_in_bytes")
    limit_bytes = _number(text)
    return limit_bytes if limit_bytes and limit_bytes < NO_MEMORY_LIMIT_BYTES else None


def _memory_in_use_bytes(group: Path) -> int | None:
    text = group_text(group / "memory.current") or group_text(group / "memory.usage_in_bytes")
    in_use_bytes = _number(text)
    if in_use_bytes is None:
        return None
    fields = dict(line.split(" ", 1) for line in group_text(group / "memory.stat").splitlines())
    cached = fields.get("total_inactive_file", fields.get("inactive_file", ""))
    return max(0, in_use_bytes - (_number(cached) or 0))


def _number(text: str) -> int | None:
    """Return a count from 0 up; None for `max`, -1 and what is no number."""
    return int(text) if text.isascii() and text.isdecimal() else None


def group_text(path: Path) -> str:
    """Return what a file of a group holds, nothing where it can't be read."""
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
