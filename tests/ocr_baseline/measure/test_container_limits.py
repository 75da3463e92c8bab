"""Limits are read from real files, laid out as the kernel lays them out."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from ocr_baseline.measure.container_limits import ContainerLimits, container_limits

GIB = 2**30


def lay_out(root: Path, files: dict[str, str]) -> Path:
    """Write files below a root folder and return it."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return root


def test_a_container_of_version_2_tells_its_limits_at_the_mount(tmp_path: Path) -> None:
    root = lay_out(
        tmp_path,
        {
            "proc/self/cgroup": "0::/",
            "sys/fs/cgroup/cpu.max": "150000 100000",
            "sys/fs/cgroup/memory.max": str(2 * GIB),
        },
    )
    limits = container_limits(root)
    assert (limits.cpus, limits.memory_bytes) == (1.5, 2 * GIB)


@pytest.mark.parametrize("controllers", ["cpu", "cpu,cpuacct"])
def test_a_container_of_version_1_tells_them_for_each_controller(
    tmp_path: Path, controllers: str
) -> None:
    root = lay_out(
        tmp_path,
        {
            "proc/self/cgroup": f"4:memory:/box\n3:{controllers}:/box\n1:name=systemd:/box",
            f"sys/fs/cgroup/{controllers}/box/cpu.cfs_quota_us": "400000",
            f"sys/fs/cgroup/{controllers}/box/cpu.cfs_period_us": "100000",
            "sys/fs/cgroup/memory/box/memory.limit_in_bytes": str(GIB),
        },
    )
    limits = container_limits(root)
    assert (limits.cpus, limits.memory_bytes) == (4.0, GIB)


@pytest.mark.parametrize(
    "files",
    [
        {
            "proc/self/cgroup": "0::/",
            "sys/fs/cgroup/cpu.max": "max 100000",
            "sys/fs/cgroup/memory.max": "max",
        },
        {
            "proc/self/cgroup": "4:memory:/\n3:cpu:/",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
        },
        {
            "proc/self/cgroup": "0::/\nnonsense\n:::",
            "sys/fs/cgroup/cpu.max": "fast \u00b2",
            "sys/fs/cgroup/memory.max": "-5",
        },
        {"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max/is/a": "folder"},
        {},
    ],
    ids=["version 2", "version 1", "damaged", "unreadable", "no files"],
)
def test_where_nothing_limits_there_is_no_limit(tmp_path: Path, files: dict[str, str]) -> None:
    assert container_limits(lay_out(tmp_path, files)) == ContainerLimits()


def test_the_tightest_of_nested_groups_counts(tmp_path: Path) -> None:
    pod = "sys/fs/cgroup/pods/pod"
    root = lay_out(
        tmp_path,
        {
            "proc/self/cgroup": "0::/pods/pod/box",
            f"{pod}/box/cpu.max": "max 100000",
            f"{pod}/box/memory.max": str(8 * GIB),
            f"{pod}/cpu.max": "300000 100000",
            f"{pod}/memory.max": str(4 * GIB),
            "sys/fs/cgroup/pods/cpu.max": "1600000 100000",
        },
    )
    limits = container_limits(root)
    assert (limits.cpus, limits.memory_bytes) == (3.0, 4 * GIB)
    assert limits.memory_group == root / pod


@pytest.mark.parametrize("path", ["/docker/0123abcd", "/../other"])
def test_a_path_that_only_the_host_knows_leads_to_the_mount(tmp_path: Path, path: str) -> None:
    root = lay_out(
        tmp_path,
        {"proc/self/cgroup": f"3:cpu:{path}\n0::{path}", "sys/fs/cgroup/cpu.max": "200000 100000"},
    )
    assert container_limits(root).cpus == 2.0


@pytest.mark.parametrize(("cpus", "most"), [(0.5, 1), (1.0, 1), (1.5, 2)])
def test_a_part_of_a_processor_counts_as_one_more_and_no_quota_adds_any(
    cpus: float, most: int
) -> None:
    cores = ContainerLimits().cpu_count()
    assert ContainerLimits(cpus=cpus).cpu_count() == min(most, cores)
    assert ContainerLimits(cpus=1e6).cpu_count() == cores
    assert cores <= (os.cpu_count() or 1)


def test_the_size_of_memory_is_the_smaller_of_container_and_machine() -> None:
    machine_bytes = psutil.virtual_memory().total
    assert ContainerLimits(memory_bytes=GIB).memory_size_bytes() == min(GIB, machine_bytes)
    assert ContainerLimits(memory_bytes=2**59).memory_size_bytes() == machine_bytes


@pytest.mark.parametrize(
    "files",
    [
        {
            "memory.max": "1000000",
            "memory.current": "700000",
            "memory.stat": "anon 5\ninactive_file 200000\nactive_file 3",
        },
        {
            "memory.limit_in_bytes": "1000000",
            "memory.usage_in_bytes": "700000",
            "memory.stat": "inactive_file 7\ntotal_inactive_file 200000",
        },
    ],
    ids=["version 2", "version 1"],
)
def test_memory_in_use_is_told_of_the_container_without_cached_files(
    tmp_path: Path, files: dict[str, str]
) -> None:
    lay_out(tmp_path, {"proc/self/cgroup": "2:memory:/\n0::/"})
    for name, text in files.items():
        lay_out(tmp_path, {f"sys/fs/cgroup/memory/{name}": text, f"sys/fs/cgroup/{name}": text})
    assert container_limits(tmp_path).memory_percent() == pytest.approx(50.0)


def test_without_a_limit_the_memory_in_use_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    system = psutil.virtual_memory()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: system)
    limits = ContainerLimits(memory_bytes=system.total * 2, memory_group=Path("/nowhere"))
    assert ContainerLimits().memory_percent() == system.percent
    assert limits.memory_percent() == system.percent
