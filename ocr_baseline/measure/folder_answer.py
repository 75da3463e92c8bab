"""Whether a folder's file system still answers, found out without waiting for it for ever.

A network file system whose server is gone, or a frozen one, holds every thread that writes to it
and raises nothing. A thread of its own tries first.
"""

from __future__ import annotations

import functools
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.measure.own_threads import own_thread, start
from ocr_baseline.signal_errors import let_through

if TYPE_CHECKING:
    from threading import Thread

PATIENCE_S = 30.0
"""Longer than a busy network file system stalls."""

PROBE_NAME = ".ocr-baseline-probe"

_MAKE_WITHOUT_WAITING = (
    os.O_WRONLY | os.O_CREAT | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
)

_overdue: dict[Path, Thread] = {}
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
    attempt = own_thread(functools.partial(_attempt, place), "ocr-baseline-probe")
    try:
        start(attempt)
    except Exception as error:  # noqa: BLE001 - no thread can be started: that it hangs too is unlikely
        let_through(error)
        return
    attempt.join(PATIENCE_S)
    if attempt.is_alive():
        _overdue[place] = attempt
        raise HungFolderError(f"{folder} has not answered for {PATIENCE_S:.0f} s")


def _are_nested(first: Path, second: Path) -> bool:
    return first == second or first in second.parents or second in first.parents


def _attempt(folder: Path) -> None:
    with suppress(Exception):  # whatever fails here fails for the writer too
        try_to_write(next(place for place in (folder, *folder.parents) if place.is_dir()))


def try_to_write(folder: Path) -> None:
    """Make an empty file in a folder and remove it; what else has that name is left as it is.

    A pipe or a link of that name keeps nobody waiting: that it is there was the answer.

    Raises:
        OSError: When the file can't be made.
    """
    probe = folder / PROBE_NAME
    descriptor = os.open(probe, _MAKE_WITHOUT_WAITING, 0o666)
    try:
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    finally:
        os.close(descriptor)
    if is_file:
        probe.unlink(missing_ok=True)
