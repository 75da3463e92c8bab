"""The commit that a folder is at, and whether its files were changed since.

Which commit it is, git's own files tell. Whether files were changed, git alone knows, and no run
starts it: its end would reach whoever in the program waits for any child. `ocr-baseline run` asks
it beforehand.
"""

from __future__ import annotations

import os
import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ocr_baseline.files import open_regular
from ocr_baseline.layout import GIT_STATE_VARIABLE
from ocr_baseline.signal_errors import suppress_failures

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    """Whether tracked files differ from the commit; None where nobody has asked git."""


def git_state(folder: Path) -> GitState:
    """Return what the files of git say of a folder, and what git said when the run was asked for.

    That is a commit and `clean` or `dirty`; it holds for a folder at the same commit.
    """
    commit = None
    with suppress_failures():
        commit = _commit_on_disk(folder)
    told_commit, _, told_state = os.environ.get(GIT_STATE_VARIABLE, "").partition(" ")
    if commit is None or commit != told_commit:
        return GitState(commit)
    return GitState(commit, {"clean": False, "dirty": True}.get(told_state))


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
