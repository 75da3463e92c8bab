"""Whether a folder's file system still answers, found out without waiting for it for ever.

A network file system whose server is gone, or a frozen one, holds every thread that writes to it
and raises nothing. A thread of its own tries first.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_S = 30.0
"""Longer than a busy network file system stalls; a run waits for it once."""

PROBE_NAME = ".ocr-baseline-probe"


class HungFolderError(RuntimeError):
    """A folder's file system did not answer in time; no `OSError`, for the system reports none."""


def wait_for_answer(folder: Path, timeout_s: float | None = None) -> None:
    """Return once a small file could be made in the folder, or the attempt to do so failed.

    What fails at once (a full disk, a folder that can't be written) is left to the writer, which
    says what is wrong.

    Args:
        folder: Where to try; where it is not there yet, in the nearest folder around it.
        timeout_s: The longest to wait, in seconds; default `PATIENCE_S`.

    Raises:
        HungFolderError: When there was no answer in time.
    """
    patience_s = PATIENCE_S if timeout_s is None else timeout_s
    # Ends with the process, however long the system keeps it waiting.
    attempt = threading.Thread(
        target=_attempt, args=(folder,), name="ocr-baseline-probe", daemon=True
    )
    attempt.start()
    attempt.join(patience_s)
    if attempt.is_alive():
        raise HungFolderError(f"{folder} has not answered for {patience_s:.0f} s")


def _attempt(folder: Path) -> None:
    try:
        nearest = next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
        probe = nearest / PROBE_NAME
        probe.open("ab").close()
        probe.unlink(missing_ok=True)
    except OSError:
        return
