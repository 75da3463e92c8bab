"""Which folders the runs of this process have for themselves, so that no run takes another's.

A Trainer may fit inside a hook of another or in a thread beside it, with the same output folder.
The later one then has a folder beside it, `baseline-2`, and both end with a report.
"""

from __future__ import annotations

import os
import threading
from itertools import count
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from ocr_baseline.model.privacy import OutwardLogger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

logger = OutwardLogger(__name__)

_lock = threading.Lock()


class FolderClaim:
    """A report's folder that one run has for itself while it is under way.

    Attributes:
        folder: The folder asked for, or the first of `FOLDER-2`, ... that no other run has.
    """

    def __init__(self, asked: Path) -> None:
        """Claim a folder, by its absolute path."""
        with _lock:
            self.folder = next(place for place in _beside(asked) if _key(place) not in _claims)
            _claims[_key(self.folder)] = self
        if self.folder != asked:
            logger.warning(
                "Another run of this process is being measured in %s: the performance baseline of "
                "this one goes to %s.",
                asked,
                self.folder,
            )

    def release(self) -> None:
        """Let the next run have the folder; harmless when repeated."""
        with _lock:
            if self not in _of_parent and _claims.get(_key(self.folder)) is self:
                del _claims[_key(self.folder)]


_claims: WeakValueDictionary[str, FolderClaim] = WeakValueDictionary()
"""A run that is forgotten without an end has no claim any more."""


_of_parent: list[FolderClaim] = []
"""In a process that was forked: the claims of runs that go on in the process that it is from."""


def _keep_parents() -> None:
    global _lock
    _lock = threading.Lock()  # another thread may have held it at the fork
    _of_parent.extend(_claims.values())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_keep_parents)


def _beside(asked: Path) -> Iterator[Path]:
    yield asked
    yield from (asked.with_name(f"{asked.name}-{number}") for number in count(2))


def _key(folder: Path) -> str:
    return os.path.normpath(folder)
