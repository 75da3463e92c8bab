"""How long Python's garbage collector held the measured thread, by stage and line."""

from __future__ import annotations

import gc
import os
from collections import defaultdict, deque
from threading import get_ident
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.measure.timeline import Timeline
    from ocr_baseline.records.format import GarbageJson

MOST_WAITING = 100_000
"""Pauses that wait for the disk: some a second do, unless nobody writes them."""

OLDEST_GENERATION = 2
"""A collection of everything: the collector's rarest, and what `gc.collect()` does."""


class _Pause(NamedTuple):
    stage: Stage
    line: int
    took_ns: int
    is_full: bool


class GarbagePauses:
    """Listens to the collector from `start` to `stop`; collections in other threads are let pass.

    The collector calls its listeners before and after each collection and nowhere else, and prints
    what goes wrong in one without passing it on.
    """

    def __init__(self, timeline: Timeline) -> None:
        """Time the collections in the thread of `timeline`."""
        self._timeline = timeline
        self._process = os.getpid()
        self._began_ns: int | None = None
        self._pauses: deque[_Pause] = deque(maxlen=MOST_WAITING)
        self._listener = self._note

    def start(self) -> None:
        """Listen, once, in this process: those forked from it go on with its listeners."""
        self._process = os.getpid()
        if not self._is_listening():
            gc.callbacks.append(self._listener)

    def stop(self) -> None:
        """Listen no more; other listeners stay as they are, and are not even compared."""
        for position, listener in enumerate(gc.callbacks):
            if listener is self._listener:
                del gc.callbacks[position]
                break
        self._began_ns = None

    def records(self) -> Iterator[GarbageJson]:
        """Take the finished pauses and yield them, one record for each stage."""
        by_stage: dict[Stage, list[_Pause]] = defaultdict(list)
        while self._pauses:
            pause = self._pauses.popleft()
            by_stage[pause.stage].append(pause)
        names = self._timeline.names
        for stage, pauses in by_stage.items():
            lines_ns: dict[str, int] = defaultdict(int)
            for pause in pauses:
                lines_ns[names[pause.line]] += pause.took_ns
            yield {
                "type": "garbage",
                "stage": stage.value,
                "collections": len(pauses),
                "full_collections": sum(pause.is_full for pause in pauses),
                "lines_ns": dict(lines_ns),
            }

    def _is_listening(self) -> bool:
        return any(one is self._listener for one in gc.callbacks)

    def _note(self, phase: Literal["start", "stop"], info: dict[str, Any]) -> None:
        timeline = self._timeline
        if get_ident() != timeline.thread or os.getpid() != self._process:
            return
        if phase == "start":
            self._began_ns = timeline.clock()
        elif self._began_ns is not None:
            took_ns = timeline.clock() - self._began_ns
            is_full = info["generation"] == OLDEST_GENERATION
            self._began_ns = None
            self._pauses.append(_Pause(timeline.stage, timeline.current, took_ns, is_full))
