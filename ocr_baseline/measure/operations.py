"""Named operations in one thread: calls, inclusive time, and a bounded sample of call times."""

from __future__ import annotations

import threading
from array import array
from threading import get_ident
from typing import TYPE_CHECKING, Any

from ocr_baseline.measure.own_threads import own_threads
from ocr_baseline.measure.recursion import recursion_room
from ocr_baseline.measure.traced_code import silent_names
from ocr_baseline.vocabulary import OPERATION_LINE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ocr_baseline.measure.timeline import Timeline
    from ocr_baseline.vocabulary import Stage

CALL_SAMPLE_SIZE = 2048

MOST_NAMES = 200
"""A report of more operations is no longer read, and each is a column of every batch."""
OTHER_NAMES = "(other names)"

MOST_LETTERS = 200
"""A longer name is cut: each record of batches holds all of them."""

MOST_NOTES = 100
MOST_NOTE_LETTERS = 1000


class CallTally:
    """Calls of one operation in one stage.

    The sample keeps every `stride`-th call; each time that it is full, every second entry goes and
    the stride doubles, so it stays spread evenly over the run within a fixed size.
    """

    __slots__ = ("calls", "sample_ns", "stride", "total_ns")

    def __init__(self) -> None:
        """Begin with no calls."""
        self.calls = 0
        self.total_ns = 0
        self.stride = 1
        self.sample_ns = array("q")

    def add(self, duration_ns: int, is_outermost: bool) -> None:
        """Count a call; one inside another of the same name adds nothing to the total."""
        if not self.calls % self.stride:
            self.sample_ns.append(duration_ns)
            if len(self.sample_ns) >= CALL_SAMPLE_SIZE:
                self.sample_ns = self.sample_ns[::2]
                self.stride *= 2
        self.calls += 1
        if is_outermost:
            self.total_ns += duration_ns


class Operation:
    """One named operation on one timeline; a `TimedBlock`.

    The bodies repeat `Timeline.push` and `pop`, because they run at every timed call. Calls in
    other threads than the timeline's go to `threads`. Calls that the measuring itself makes, in a
    thread of its own or on its own line, are nobody's and aren't counted.
    """

    __slots__ = ("_index", "_starts_ns", "_threads", "_timeline", "name", "tallies")

    def __init__(self, timeline: Timeline, name: str, threads: ThreadSections) -> None:
        """Give the operation a line of its own on `timeline`."""
        self.name = name
        self.tallies: dict[Stage, CallTally] = {}
        self._timeline = timeline
        self._threads = threads
        self._index = timeline.index(OPERATION_LINE_PREFIX + name)
        self._starts_ns: list[int] = []

    def enter(self) -> None:
        """A call begins."""
        timeline = self._timeline
        thread = get_ident()
        if thread != timeline.thread:
            if thread not in own_threads:
                self._threads.enter(self.name)
            return
        if timeline.current == timeline.own:
            return
        now = timeline.clock()
        timeline.cells[timeline.current] += now - timeline.last
        timeline.last = now
        timeline.stack.append(timeline.current)
        timeline.current = self._index
        timeline.events += 2  # entering through a section costs about twice a plain span
        starts_ns = self._starts_ns
        if starts_ns:  # it calls itself
            recursion_room.take(len(starts_ns))
        starts_ns.append(now)

    def exit(self) -> None:
        """The innermost call ends; one that began before the recording is passed over."""
        timeline = self._timeline
        thread = get_ident()
        if thread != timeline.thread:
            if thread not in own_threads:
                self._threads.exit(self.name, timeline.stage)
            return
        if timeline.current == timeline.own:
            return
        starts_ns = self._starts_ns
        if not starts_ns:
            return
        now = timeline.clock()
        timeline.cells[timeline.current] += now - timeline.last
        timeline.last = now
        start_ns = starts_ns.pop()
        if starts_ns:
            recursion_room.give_back(len(starts_ns))
        if timeline.current == self._index:
            timeline.current = timeline.stack.pop()
        elif not timeline.remove(self._index):
            return  # a span around it has ended before it: its call has no end to count
        tally = self.tallies.get(timeline.stage)
        if tally is None:
            tally = self.tallies[timeline.stage] = CallTally()
        tally.add(now - start_ns, not starts_ns or self._is_outermost())

    def _is_outermost(self) -> bool:
        """Whether no call is open any more; starts of calls that never ended are forgotten."""
        if self._timeline.current == self._index or self._index in self._timeline.stack:
            return False
        self.forget_open_calls()
        return True

    def forget_open_calls(self) -> None:
        """Drop calls that an exception left open."""
        while self._starts_ns:
            self._starts_ns.pop()
            recursion_room.give_back(len(self._starts_ns))


class Operations(dict[str, Operation]):
    """The operations of one timeline by name, each made at its first call.

    A name beyond the first `MOST_NAMES` is counted with all others of the kind as `OTHER_NAMES`,
    so that names which hold a number of their own (`image 17`) don't fill memory and report. Names
    that are alike in their first `MOST_LETTERS` letters are one.
    """

    def __init__(self, timeline: Timeline) -> None:
        """Time on `timeline`, and apart from it what other threads do."""
        super().__init__()
        self.timeline = timeline
        self.threads = ThreadSections(timeline.clock)
        self._notes: dict[str, None] = {}
        self._notes_taken = 0

    @property
    def thread(self) -> int:
        """The thread whose operations these are."""
        return self.timeline.thread

    def __missing__(self, name: str) -> Operation:
        if len(name) > MOST_LETTERS:
            return self[f"{name[: MOST_LETTERS - 1]}…"]
        if len(self) >= MOST_NAMES and name != OTHER_NAMES:
            self.note(
                f"There are more than {MOST_NAMES} names of sections: the later ones are counted "
                f"together as {OTHER_NAMES!r}. Give sections that do the same one name."
            )
            return self[OTHER_NAMES]
        return self.setdefault(name, Operation(self.timeline, name, self.threads))

    def reserve(self, names: Iterable[str]) -> None:
        """Keep a place for these, however many other names come before their first call."""
        for name in names:
            self.setdefault(name, Operation(self.timeline, name, self.threads))

    def note(self, text: str) -> None:
        """Keep a sentence that the run's report must say, once; of very many the first."""
        if len(self._notes) < MOST_NOTES:
            self._notes.setdefault(text[:MOST_NOTE_LETTERS])

    def new_notes(self) -> list[str]:
        """Return the sentences kept since the last call, with what was silent in compiled code."""
        if names := silent_names():
            self.note(
                "Sections and operations inside code that torch compiles are not timed there: "
                + ", ".join(names)
            )
        new = list(self._notes)[self._notes_taken :]
        self._notes_taken += len(new)
        return new

    def forget_open_calls(self) -> None:
        """Drop the calls that an exception left open."""
        for operation in self.values():
            operation.forget_open_calls()


class ThreadSections:
    """Sections of threads other than the timeline's: inclusive and exclusive time by name."""

    def __init__(self, clock: Callable[[], int]) -> None:
        """Begin with no sections."""
        self._clock = clock
        self._local = threading.local()
        self._lock = threading.Lock()
        self.tallies: dict[tuple[str, Stage], tuple[CallTally, list[int]]] = {}

    def _stack(self) -> list[list[Any]]:
        stack: list[list[Any]] | None = getattr(self._local, "stack", None)
        if stack is None:
            stack = self._local.stack = []
        return stack

    def enter(self, name: str) -> None:
        """A section begins in this thread."""
        stack = self._stack()
        recursion_room.take(len(stack))
        stack.append([name, self._clock(), 0])

    def exit(self, name: str, stage: Stage) -> None:
        """The innermost section ends; one that began before the recording is passed over."""
        stack = self._stack()
        if not stack or stack[-1][0] != name:
            return
        _, start_ns, nested_ns = stack.pop()
        recursion_room.give_back(len(stack))
        duration_ns = self._clock() - start_ns
        if stack:
            stack[-1][2] += duration_ns
        is_outermost = all(entry[0] != name for entry in stack)
        with self._lock:
            tally, exclusive_ns = self.tallies.setdefault((name, stage), (CallTally(), [0]))
            tally.add(duration_ns, is_outermost)
            exclusive_ns[0] += duration_ns - nested_ns
