"""Which `run-ID.wandb` a user means by a path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ocr_baseline.errors import SourceError
from ocr_baseline.files import is_regular, kind_of

if TYPE_CHECKING:
    from pathlib import Path

PATTERN = "run-*.wandb"
_DEPTHS = ("", "*run-*/", "wandb/*run-*/")
"""The client writes `wandb/offline-run-DATE_TIME-ID/run-ID.wandb`, `wandb/run-…` when online."""


def find_file(path: Path) -> tuple[Path, list[str]]:
    """Return the file that the path is, or the newest in the nearest folder, and warnings.

    Raises:
        SourceError: There is no such file.
    """
    kind = kind_of(path)
    if kind == "file":
        return path, []
    if kind is None:
        raise SourceError(f"{path}: there is no such file or folder to read a W&B run from")
    for depth in _DEPTHS:
        found = {file.resolve() for file in path.glob(depth + PATTERN) if is_regular(file)}
        if found:
            files = sorted(found, key=_age_order)
            return files[-1], _several(files)
    raise SourceError(f"{path}: holds no W&B run ({PATTERN}), nor do the run folders in it")


def _age_order(file: Path) -> tuple[str, str]:
    started = re.search(r"run-(\d{8}_\d{6})-", file.parent.name)
    return started[1] if started else "", file.name


def _several(files: list[Path]) -> list[str]:
    if len(files) == 1:
        return []
    chosen = files[-1].parent.name
    pieces = sum(file.name == files[-1].name for file in files)
    if pieces > 1:
        return [
            f"The run was resumed: {chosen} is the last of {pieces} pieces of it, and the others "
            "were not read."
        ]
    return [f"{len(files)} W&B runs are there; the newest, {chosen}, was read: name another one."]
