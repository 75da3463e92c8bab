"""How long Python's garbage collector held the measured thread, by stage and line.

The collector calls its listeners before and after each collection, and drops what one raises. After
a long pause the first instruction of Python's that runs is where waiting signals are handled: in a
listener written in Python, what their handlers raise (Ctrl-C, a timeout) would be lost. So the one
here runs no instruction of Python's. It is `str.format`, which reads what it formats in C.
"""

from __future__ import annotations

import functools
import gc
import operator
import os
from collections import defaultdict
from threading import get_ident
from typing import TYPE_CHECKING, NamedTuple

from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ocr_baseline.measure.timeline import Timeline
    from ocr_baseline.records.format import GarbageJson

MOST_WAITING = 100_000
"""Notes that wait for the disk: some a second do, unless nobody writes them."""

OLDEST_GENERATION = 2
"""A collection of everything: the collector's rarest, and what `gc.collect()` does."""


class _Moment:
    """Attributes that read the clock, the thread and the process in C, each time they are asked."""

    now = property(operator.methodcaller("read_clock"))
    thread = property(operator.methodcaller("read_thread"))
    process = property(operator.methodcaller("read_process"))

    def __init__(self, clock: Callable[[], int]) -> None:
        self.read_clock = clock
        self.read_thread = get_ident
        self.read_process = os.getpid


_NOTE = (
    "{0:{1.now:x} {1.thread:x} {1.process:x} {3} {4[generation]:x} {2.current:x} {2.stage._value_}}"
)
"""Sink, moment and timeline; then what the collector gives: `start` or `stop`, and a mapping. The
text of all but the sink is the format in which the sink is asked for its own text. Numbers are
hexadecimal, because C looks for signals as it makes decimal ones."""


class _Note(NamedTuple):
    at_ns: int
    thread: int
    process: int
    phase: str
    generation: int
    line: int
    stage: str

    @classmethod
    def of(cls, text: str) -> _Note:
        at, thread, process, phase, generation, line, stage = text.split(" ")
        numbers = (int(number, 16) for number in (at, thread, process, generation, line))
        at_ns, thread_id, process_id, generation_number, line_index = numbers
        return cls(at_ns, thread_id, process_id, phase, generation_number, line_index, stage)


class _Pause(NamedTuple):
    stage: Stage
    line: int
    took_ns: int
    is_full: bool


class GarbagePauses:
    """Listens to the collector from `start` to `stop`; those in other threads are let pass."""

    def __init__(self, timeline: Timeline) -> None:
        """Time the collections in the thread of `timeline`."""
        self._timeline = timeline
        self._began: _Note | None = None
        notes: defaultdict[str, str] = defaultdict(str)
        self._notes = notes

        class Sink:
            """Keeps each format that it is asked for, and has no text in any."""

            __format__ = notes.__getitem__  # of C, which isn't bound

        self._listener = functools.partial(_NOTE.format, Sink(), _Moment(timeline.clock), timeline)

    def start(self) -> None:
        """Listen, once, in this process; those forked from it don't."""
        if not self._is_listening():
            gc.callbacks.append(self._listener)
        if self not in _listening:
            _listening.append(self)

    def stop(self) -> None:
        """Listen no more; other listeners stay as they are, and are not even compared."""
        for position, listener in enumerate(gc.callbacks):
            if listener is self._listener:
                del gc.callbacks[position]
                break
        if self in _listening:
            _listening.remove(self)
        self._began = None

    def bound(self) -> None:
        """Drop what waits where nobody has taken it for too long."""
        if len(self._notes) > MOST_WAITING:
            self._notes.clear()

    def records(self) -> Iterator[GarbageJson]:
        """Take the finished pauses and yield them, one record for each stage."""
        by_stage: dict[Stage, list[_Pause]] = defaultdict(list)
        for pause in self._taken():
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

    def _taken(self) -> Iterator[_Pause]:
        texts: list[str] = []
        while self._notes:  # the collector may add one at any moment
            texts.append(self._notes.popitem()[0])
        process = os.getpid()
        for note in sorted(map(_Note.of, texts)):
            if note.thread != self._timeline.thread or note.process != process:
                continue
            began, self._began = self._began, note if note.phase == "start" else None
            if began is not None and note.phase == "stop":
                yield _Pause(
                    Stage(note.stage),
                    note.line,
                    note.at_ns - began.at_ns,
                    note.generation == OLDEST_GENERATION,
                )

    def _is_listening(self) -> bool:
        return any(one is self._listener for one in gc.callbacks)


_listening: list[GarbagePauses] = []


def _leave_child() -> None:
    for pauses in list(_listening):
        pauses.stop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_child)
