"""Work of ours gets its turn beside threads of the user's that run Python without a pause.

A thread that opens a file gives the interpreter's lock away, and gets it back once a busy thread
has had its turn, which is 5 ms by default. An import or a report opens files by the thousand.
"""

from __future__ import annotations

from contextlib import contextmanager
from sys import getswitchinterval, setswitchinterval
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TURN_S = 0.0002
"""Python's own switch interval is 0.005 s."""


@contextmanager
def prompt_turns() -> Iterator[None]:
    """Let threads take turns of `TURN_S` in the block; an interval that is set meanwhile stays."""
    found_s = getswitchinterval()
    if found_s <= TURN_S:
        yield
        return
    setswitchinterval(TURN_S)
    ours_s = getswitchinterval()
    try:
        yield
    finally:
        if getswitchinterval() == ours_s:
            setswitchinterval(found_s)
