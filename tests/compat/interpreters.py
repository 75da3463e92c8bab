"""Interpreters of other versions of Python: on the path, or where pyenv and uv keep theirs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def find_interpreter(version: str) -> Path | None:
    """Return an interpreter of that version ("3.10"), or the one that a path names, if it runs."""
    if os.sep in version:
        return Path(version) if _version_of(Path(version)) else None
    return next((path for path in _candidates(version) if _version_of(path) == version), None)


def _candidates(version: str) -> Iterator[Path]:
    on_path = shutil.which(f"python{version}")
    if on_path is not None:
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python"), reverse=True)
    data = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share"))
    yield from sorted(data.glob(f"uv/python/cpython-{version}.*/bin/python{version}"), reverse=True)


def _version_of(interpreter: Path) -> str | None:
    """Return "3.10" for a Python 3.10, or None for a program that does not run as one."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(
            [interpreter, "-c", program], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
