"""Real file systems for the benchmark of faults: one that is soon full, one that can be frozen.

They are mounted in a mount namespace of the benchmark's own, which ends with it and which nobody
else sees. Where the system allows no mounts, a limit on the size of files and a pipe that nobody
reads stand in for them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ocr_baseline.measure import folder_answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SMALL_DISK_BYTES = 8192
FREEZABLE_DISK_BYTES = 4 * 2**20
FILE_LIMIT_BYTES = 2500
_MARK = "OCR_FAULTS_OWN_MOUNTS"


def begin_with_own_mounts() -> None:
    """Start the program anew where it can mount file systems, if the system lets it."""
    if _MARK in os.environ:
        return
    unshare = ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--mount"]
    with tempfile.TemporaryDirectory() as folder:
        attempt = [*unshare, "mount", "-t", "tmpfs", "tmpfs", folder]
        can_mount = _succeeds(*attempt)
    if can_mount:
        os.environ[_MARK] = "yes"
        os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv])  # noqa: S606 - itself again


def _has_own_mounts() -> bool:
    """Whether `begin_with_own_mounts` was successful."""
    return _MARK in os.environ


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Make the folder a file system of two pages while the block runs; False where none can be."""
    if not _has_own_mounts():
        yield False
        return
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_BYTES}", "tmpfs", str(folder))
    try:
        yield True
    finally:
        _run("umount", "--lazy", str(folder))


@contextmanager
def freezable_disk(folder: Path) -> Iterator[bool]:
    """Make the folder a file system that `freeze` stops; False where none can be.

    That takes root: no user namespace may mount a disk.
    """
    image = folder.with_suffix(".ext4")
    image.touch()
    os.truncate(image, FREEZABLE_DISK_BYTES)
    folder.mkdir()
    is_mounted = (
        _has_own_mounts()
        and _succeeds("mkfs.ext4", "-q", str(image))
        and _succeeds("mount", "-o", "loop", str(image), str(folder))
    )
    try:
        yield is_mounted
    finally:
        if is_mounted:
            _run("umount", "--lazy", str(folder))


def freeze(folder: Path, *, is_own_disk: bool) -> None:
    """Let every write to the folder's own disk wait; without one, whoever tries if it answers."""
    if is_own_disk:
        _run("fsfreeze", "--freeze", str(folder))
    else:
        folder_answer.try_to_write = _wait_for_ever


def _wait_for_ever(folder: Path) -> None:
    threading.Event().wait()


def thaw(folder: Path) -> None:
    """Let the writes that wait go on."""
    _succeeds("fsfreeze", "--unfreeze", str(folder))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False
