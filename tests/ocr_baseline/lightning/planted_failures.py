"""A failure planted in one function of ours, in any thread and in workers that are forked."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import ocr_baseline

_OURS = ocr_baseline.__path__[0]


class PlantedError(RuntimeError):
    """A bug of ours."""


@contextmanager
def failure_in(name: str, at_call: int = 1) -> Iterator[list[str]]:
    """Let the function of this qualified name raise as it is entered, once; yield its calls."""
    calls: list[str] = []

    def look(frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_name == own_name and code.co_filename.startswith(_OURS):
            if not _is_method_of(frame, owner):
                return
            calls.append(name)
            if len(calls) == at_call:
                raise PlantedError(f"planted in {name}")

    owner, _, own_name = name.rpartition(".")
    threading.setprofile(look)
    sys.setprofile(look)
    try:
        yield calls
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def _is_method_of(frame: FrameType, owner: str) -> bool:
    """Whether a call is of a method that a class of this name has; any function without one."""
    if not owner:
        return True
    called = frame.f_locals.get("self")
    return any(
        one.__name__ == owner and frame.f_code.co_name in vars(one) for one in type(called).__mro__
    )
