"""What git says of a folder, asked before a run: no run starts a process of its own for it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT_S = 2.0


def asked_git_state(folder: Path) -> str | None:
    """Return the commit and `clean` or `dirty`; None where git doesn't tell within `TIMEOUT_S`.

    It writes nothing: a lock that it took would stand in the way of the user's next command, for
    good where it is killed. Nor does it start a monitor of the files, which would live on.
    """
    options = ("--no-optional-locks", "-c", "core.fsmonitor=false")
    asked = ("status", "--porcelain=v2", "--branch", "--untracked-files=no")
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            ["git", *options, *asked],  # noqa: S607 - the user's git
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    lines = done.stdout.splitlines()
    commit = next((line for line in lines if line.startswith("# branch.oid ")), "").split(" ")[-1]
    if not commit.isalnum():  # there is none yet: "(initial)"
        return None
    return f"{commit} {'clean' if all(line.startswith('#') for line in lines) else 'dirty'}"
