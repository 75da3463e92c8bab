"""The run that someone who names none means: the newest below the current folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.errors import SourceError
from ocr_baseline.layout import MAIN_RECORDS_NAME, document_in, records_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEVELS = 5
"""How deep runs are looked for: a job of a Hydra sweep is in multirun/DATE/TIME/JOB."""
MOST_FOLDERS = 5_000
"""How many folders are looked into at each level; a data set beside the runs may have more."""


def newest_below(folder: Path) -> Path:
    """Return the folder of the run that was written to last.

    Raises:
        SourceError: There is no run in the folder or up to four levels below it.
    """
    found: list[tuple[float, Path]] = []
    level = [folder]
    for _ in range(LEVELS):
        below: list[Path] = []
        for place in level[:MOST_FOLDERS]:
            written_at = _written_at(place)
            if written_at is None:
                below.extend(_folders_in(place))
            else:
                found.append((written_at, place))
        level = below
    if not found:
        raise SourceError(
            f"no run below {folder.absolute()}: name one, or go to a folder with runs"
        )
    return max(found)[1]


def _written_at(folder: Path) -> float | None:
    """Return when a run's records or its document were written; None for what is no run."""
    records = records_in(folder)
    file = document_in(folder) if records is None else records / MAIN_RECORDS_NAME
    try:
        return None if file is None else file.stat().st_mtime
    except OSError:  # removed meanwhile
        return None


def _folders_in(folder: Path) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:  # a folder that this user may not look into
        return
    for path in entries:
        if path.is_dir() and not path.is_symlink() and not path.name.startswith("."):
            yield path
