"""Spans for calls of the framework's methods that are one trainer's, in its run's thread.

Another trainer may run inside a hook or a step, with our callbacks or without: what it logs and
how it steps is in the line around it.
"""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager, nullcontext
from threading import get_ident
from typing import TYPE_CHECKING, Any

from ocr_baseline.measure.by_value import reduced
from ocr_baseline.measure.traced_code import leave_untraced
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from collections.abc import Callable

    from ocr_baseline.measure.recorder import Recorder

_NOTHING: AbstractContextManager[Any] = nullcontext()


class OwnCalls:
    """Returns the context of each call of a method, from the object that it is called on."""

    def __init__(self, recorder: Recorder, line: Line, is_own: Callable[[Any], bool]) -> None:
        """Charge to `line` the calls on an object that `is_own` of the run."""
        self._timeline = recorder.timeline
        self._span = recorder.span(line.value)
        self._is_own = is_own
        leave_untraced(OwnCalls.__call__)  # compiled code may call the method

    def __reduce__(self) -> Any:
        """The code of a logger's method holds this, and may be pickled by value."""
        return reduced(self, functools.partial(nullcontext))

    def __call__(self, called: Any) -> AbstractContextManager[Any]:
        """Return the span, or nothing where the call isn't the run's."""
        try:
            if get_ident() == self._timeline.thread and self._is_own(called):
                return self._span
        except Exception as error:  # noqa: BLE001 - the call goes on whatever fails here
            self._timeline.failed(error)
        return _NOTHING
