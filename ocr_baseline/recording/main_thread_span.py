"""Spans for what any thread may call, while one thread's time is accounted for."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ocr_baseline.measure.recorder import Recorder
    from ocr_baseline.vocabulary import Line


class MainThreadSpan:
    """A span that does nothing in other threads, for methods that any thread may call."""

    def __init__(self, recorder: Recorder, line: Line) -> None:
        """Charge blocks of the thread that makes this object to `line`."""
        self._span = recorder.span(line.value)
        self._timeline = recorder.timeline
        self._thread = threading.get_ident()

    def __reduce__(self) -> Any:
        """A copy measures nothing: the run stays where it is."""
        return nullcontext, ()

    def __enter__(self) -> None:
        try:
            if threading.get_ident() == self._thread:
                self._enter()
        except Exception as error:  # noqa: BLE001 - the block goes on whatever fails here
            self._timeline.failed(error)

    def __exit__(self, *exc_info: Any) -> None:
        try:
            if threading.get_ident() == self._thread:
                self._exit(*exc_info)
        except Exception as error:  # noqa: BLE001 - the block goes on whatever fails here
            self._timeline.failed(error)

    def _enter(self) -> None:
        self._span.__enter__()

    def _exit(self, *exc_info: Any) -> None:
        self._span.__exit__(*exc_info)
