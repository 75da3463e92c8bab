"""Whether a folder's file system still answers, found out without waiting for it for ever.

A network file system whose server is gone, or a frozen one, holds every thread that writes to it
and raises nothing. A thread of its own tries first.
"""

from __future__ import annotations

import threading
from pathlib import Path

PATIENCE_S = 30.0
"""Longer than a busy network file system stalls."""

PROBE_NAME = ".ocr-baseline-probe"

_overdue: dict[Path, threading.Thread] = {}
"""Attempts that were given up, by folder; one that is still under way is not waited for again."""


class HungFolderError(RuntimeError):
    """A folder's file system did not answer in time; no `OSError`, for the system reports none."""


def wait_for_answer(folder: Path) -> None:
    """Return once an empty file could be made in the folder, or the attempt to do so failed.

    What fails at once (a full disk, a folder that can't be written) is left to the writer, which
    says what is wrong.

    Args:
        folder: Where to try; where it is not there yet, in the nearest folder around it.

    Raises:
        HungFolderError: When there was no answer for `PATIENCE_S` seconds, or an earlier attempt in
            this folder, in one around it or in it still waits for one.
    """
    place = folder.absolute()
    for other, attempt in list(_overdue.items()):
        if attempt.is_alive() and _are_nested(place, other):
            raise HungFolderError(f"{folder} does not answer yet")
    # Ends with the process, however long the system keeps it waiting.
    attempt = threading.Thread(
        target=_attempt, args=(place,), name="ocr-baseline-probe", daemon=True
    )
    attempt.start()
    attempt.join(PATIENCE_S)
    if attempt.is_alive():
        _overdue[place] = attempt
        raise HungFolderError(f"{folder} has not answered for {PATIENCE_S:.0f} s")


def _are_nested(first: Path, second: Path) -> bool:
    return first == second or first in second.parents or second in first.parents


def _attempt(folder: Path) -> None:
    try:
        nearest = next(place for place in (folder, *folder.parents) if place.is_dir())
        probe = nearest / PROBE_NAME
        probe.open("ab").close()
        probe.unlink(missing_ok=True)
    except OSError:
        return
