"""The machine and the software that a run ran on."""

from __future__ import annotations

import os
import platform
import socket
from importlib import metadata
from pathlib import Path

from ocr_baseline.measure.container_limits import own_limits
from ocr_baseline.measure.git_state import GitState, git_state

PACKAGES = ("torch", "lightning", "torchvision", "numpy")


def identity() -> dict[str, object]:
    """Return what decides whether two runs compare: software, and what the run may use.

    Processors and memory are those of the container, where it has less than the machine. Nothing
    here changes from one run to the next on the same machine, installation and container.
    """
    limits = own_limits()
    cores = limits.cpu_count()
    return {
        "python": platform.python_version(),
        **{name: version for name in PACKAGES if (version := _version(name)) is not None},
        "os": f"{platform.system()} {platform.machine()}",
        "cpu_model": _cpu_model(),
        "cpu_count": cores,
        **({"cpu_quota": limits.cpus} if limits.cpus is not None and limits.cpus < cores else {}),
        "memory_bytes": limits.memory_size_bytes(),
    }


def volatile(folder: Path | None) -> dict[str, object]:
    """Return what is worth knowing but not comparing; git's state is that of `folder`."""
    git = GitState() if folder is None else git_state(folder)
    return {
        "hostname": socket.gethostname(),
        "machine_cpu_count": os.cpu_count(),
        "load_avg_1min": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "git_commit": git.commit,
        "git_dirty": git.is_dirty,
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
