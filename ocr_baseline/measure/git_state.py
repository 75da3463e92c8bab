"""The commit that a folder is at, and whether its files were changed since.

Which commit it is, git's own files tell. Whether files were changed, git alone knows: it is asked
in a process of its own where nobody in this one can take that process's end for that of a child of
theirs, so neither where the program handles SIGCHLD nor beside a thread of the program's.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ocr_baseline.files import open_regular
from ocr_baseline.measure.own_threads import own_threads
from ocr_baseline.measure.signal_action import is_default_action
from ocr_baseline.signal_errors import suppress_failures

if TYPE_CHECKING:
    from collections.abc import Iterator

GIT_TIMEOUT_S = 2.0
_SECONDS_TO_END = 0.5

_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_MOST_LINKS = 5
"""From a reference to the next; git's own limit."""
_MOST_LINES = 200_000
"""Of packed references, which are tens of thousands in large repositories."""
_MOST_BYTES = 64 * 2**20


class GitState(NamedTuple):
    """What is known of a folder under git."""

    commit: str | None = None
    is_dirty: bool | None = None
    """Whether tracked files differ from the commit; None where git wasn't asked."""


def git_state(folder: Path) -> GitState:
    """Return what git says of a folder, or what its files say where it can't be asked."""
    with suppress_failures():  # a test may forbid processes
        if _nobody_hears_of_children():
            answer = _status(folder)
            if answer is not None:
                return _parsed(answer)
    with suppress_failures():
        return GitState(_commit_on_disk(folder))
    return GitState()


def _nobody_hears_of_children() -> bool:
    """Whether the end of a child would reach no handler of the program's and no other thread."""
    number = getattr(signal, "SIGCHLD", None)
    if number is not None:
        if not is_default_action(number):
            return False
        if number in signal.pthread_sigmask(signal.SIG_BLOCK, ()):  # for `sigwait` or a descriptor
            return False
    if threading.current_thread() is not threading.main_thread():
        return False
    return len(sys._current_frames().keys() - own_threads) == 1


def _status(folder: Path) -> str | None:
    # Where a program is named without its folder, `subprocess` sets the filters of warnings aside
    # while it looks for it, and Python then forgets which warnings it has shown once.
    git = shutil.which("git")
    if git is None:
        return None
    # It writes nothing: a lock that it took would stand in the way of the user's next command, for
    # good where it is killed. Nor does it start a monitor of the files, which would live on.
    command = [
        os.path.abspath(git),  # noqa: PTH100 - links stay
        *("--no-optional-locks", "-c", "core.fsmonitor=false"),
        *("status", "--porcelain=v2", "--branch", "--untracked-files=no"),
    ]
    try:
        # Not `subprocess.run`: a test that puts a mock in its place counts the program's own calls.
        process = subprocess.Popen(  # noqa: S603 - fixed arguments, no shell
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
        )
        try:
            answer, _ = process.communicate(timeout=GIT_TIMEOUT_S)
        except BaseException:
            process.kill()
            process.communicate(timeout=_SECONDS_TO_END)  # a dead file server may hold it back
            raise
    except (OSError, subprocess.SubprocessError):
        return None
    return None if process.returncode else answer


def _parsed(answer: str) -> GitState:
    """Read `git status --porcelain=v2 --branch`: lines that begin with # aren't files."""
    lines = answer.splitlines()
    head = next((line for line in lines if line.startswith("# branch.oid ")), "").split(" ")[-1]
    if not _COMMIT.fullmatch(head):  # "(initial)"
        return GitState()
    return GitState(head, any(not line.startswith("#") for line in lines))


def _commit_on_disk(folder: Path) -> str | None:
    """Read HEAD as in https://git-scm.com/docs/gitrepository-layout; no reftable."""
    own = _git_folder(folder)
    if own is None:
        return None
    shared = _first_line(own / "commondir")  # of a worktree: where the repository is
    folders = [own] if shared is None else [own, own / shared]
    name = "HEAD"
    for _ in range(_MOST_LINKS):
        found = next(filter(None, (_first_line(one / name) for one in folders)), None)
        if found is None:
            return _packed(folders[-1], name)
        if not found.startswith("ref: "):
            return found if _COMMIT.fullmatch(found) else None
        name = found.removeprefix("ref: ").strip()
        if ".." in Path(name).parts or Path(name).is_absolute():
            return None
    return None


def _git_folder(folder: Path) -> Path | None:
    if given := os.environ.get("GIT_DIR"):
        return folder / given
    for parent in (folder, *folder.parents):
        found = parent / ".git"
        if os.path.isdir(found):  # noqa: PTH112 - Path.is_dir raises where it mayn't look
            return found
        link = _first_line(found)  # of a worktree or a submodule
        if link is not None and link.startswith("gitdir: "):
            return parent / link.removeprefix("gitdir: ")
    return None


def _packed(folder: Path, name: str) -> str | None:
    for line in _lines(folder / "packed-refs"):
        commit, _, packed_name = line.partition(" ")
        if packed_name == name and _COMMIT.fullmatch(commit):
            return commit
    return None


def _first_line(path: Path) -> str | None:
    return next(_lines(path), None)


def _lines(path: Path) -> Iterator[str]:
    try:
        with open_regular(path, max_bytes=_MOST_BYTES) as file:
            for line in islice(file, _MOST_LINES):
                yield os.fsdecode(line.rstrip(b"\r\n"))
    except OSError:
        return
