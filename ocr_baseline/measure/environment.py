"""The machine and the software that a run ran on."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
from importlib import metadata
from pathlib import Path
from time import monotonic

from ocr_baseline.measure.container_limits import own_limits
from ocr_baseline.measure.deferred_child_signals import deferred_child_signals, own_child_ended
from ocr_baseline.measure.own_threads import own_thread, start
from ocr_baseline.signal_errors import suppress_failures

GIT_TIMEOUT_S = 2.0
_SECONDS_TO_END = 0.5
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


def volatile(folder: Path) -> dict[str, object]:
    """Return what is worth knowing but not comparing; git is asked about `folder`."""
    return {
        "hostname": socket.gethostname(),
        "machine_cpu_count": os.cpu_count(),
        "load_avg_1min": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        **_git_state(folder),
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


def _git_state(folder: Path) -> dict[str, object]:
    """Return the commit and whether files were changed, as far as git tells in time.

    It is asked in a thread of its own: a loader worker that another thread forks at the same
    instant holds the pipes of the process open as long as it lives. Where a handler of the
    program's would take the end of git's process for that of a child of its own, it isn't asked.
    """
    found: dict[str, object] = {"git_commit": None, "git_dirty": None}
    until_s = monotonic() + GIT_TIMEOUT_S

    def ask() -> None:
        with suppress_failures():  # a test may forbid processes
            commit = found["git_commit"] = _git(folder, until_s, "rev-parse", "HEAD")
            if commit:
                status = _git(folder, until_s, "status", "--porcelain", "--untracked-files=no")
                found["git_dirty"] = None if status is None else bool(status)

    thread = own_thread(ask, "ocr-baseline-git")
    with deferred_child_signals() as is_unheard, suppress_failures():
        if is_unheard:
            start(thread)  # where it can't be started, git isn't asked
            thread.join(GIT_TIMEOUT_S + _SECONDS_TO_END)
    return dict(found)


def _git(folder: Path, until_s: float, *arguments: str) -> str | None:
    # Where a program is named without its folder, `subprocess` sets the filters of warnings aside
    # while it looks for it, and Python then forgets which warnings it has shown once.
    git = shutil.which("git")
    if git is None:
        return None
    # It writes nothing: a lock that it took would stand in the way of the user's next command, for
    # good where it is killed.
    command = [os.path.abspath(git), "--no-optional-locks", *arguments]  # noqa: PTH100 - links stay
    try:
        # Not `subprocess.run`: a test that puts a mock in its place counts the program's own calls.
        with subprocess.Popen(  # noqa: S603 - fixed arguments, no shell
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            try:
                answer, _ = process.communicate(timeout=max(until_s - monotonic(), 0.0))
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            finally:
                process.wait()
                own_child_ended()
    except (OSError, subprocess.SubprocessError):
        return None
    return None if process.returncode else answer.strip()
