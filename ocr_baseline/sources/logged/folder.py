"""Which folder of a logger's version folders to read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ocr_baseline.errors import SourceError
from ocr_baseline.files import is_regular, kind_of
from ocr_baseline.layout import JSON_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

_DEPTHS = ("", "version_*/", "*/", "*/version_*/")
"""Where Lightning's loggers put files below a save folder: `NAME/version_N/`."""


def _any_file(file: Path) -> bool:
    return True


def find_folder(
    root: Path, pattern: str, what: str, is_logged: Callable[[Path], bool] = _any_file
) -> tuple[Path, list[str]]:
    """Return the folder at or below `root` with a file that fits `pattern`, and warnings.

    The nearest level that has one wins; among the versions there, the highest. Files that aren't a
    logger's (`is_logged`) are passed over while others remain, those of a report always.

    Raises:
        SourceError: There is no such folder or file; `what` names what was looked for.
    """
    if kind_of(root) != "folder":
        raise SourceError(f"{root}: there is no such file or folder to read {what} from")
    passed_over: list[Path] = []
    for depth in _DEPTHS:
        files = [path for path in root.glob(depth + pattern) if is_regular(path)]
        folders = _folders(path for path in files if is_logged(path))
        if folders:
            return folders[-1], _several(folders, root)
        others = (path for path in files if not is_regular(path.parent / JSON_NAME))
        passed_over = passed_over or _folders(others)
    if passed_over:
        return passed_over[-1], []
    raise SourceError(f"{root}: holds no {what} ({pattern}), nor do its version folders")


def _folders(files: Iterable[Path]) -> list[Path]:
    return sorted({path.parent for path in files}, key=_version_order)


def _version_order(folder: Path) -> tuple[str, int, str]:
    found = re.fullmatch(r"version_(\d+)", folder.name)
    return str(folder.parent), int(found[1]) if found else -1, folder.name


def _several(folders: Sequence[Path], root: Path) -> list[str]:
    if len(folders) == 1:
        return []
    chosen = folders[-1].relative_to(root)
    return [f"{len(folders)} folders hold metrics; {chosen} was read: name another to read that."]
