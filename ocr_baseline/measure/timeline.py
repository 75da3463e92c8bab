"""Exclusive time accounting: each nanosecond of one thread is charged to exactly one cell.

The timeline holds the instant of the last switch and the line that is running. Entering or leaving
a span charges the time since the last switch to the running line, so the cells always sum to the
time that passed and no second is counted twice.
"""

from __future__ import annotations

from threading import Lock, get_ident
from typing import TYPE_CHECKING

from ocr_baseline.clocks import perf_counter_ns
from ocr_baseline.vocabulary import OPERATION_LINE_PREFIX, Stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class Timeline:
    """The accounts of one thread.

    Attributes:
        cells: Nanoseconds charged to each line since the cells were last taken, by line index.
        current: Index of the line that is running.
        last: Clock reading at the last switch, in nanoseconds.
        stack: Indices of the lines that enclose the running one, outermost first.
        events: Spans entered so far; times the cost of one, this is what the accounting cost.
        stage: The stage that the time belongs to, for those who count by stage.
        operations: Indices of the lines that are named operations.
        thread: The thread whose time this is, the one that made the timeline.
        own: Index of the line that is charged with the measuring itself, -1 without one.
        on_failure: Called with what goes wrong inside a span; without it, that is raised.
    """

    __slots__ = (
        "_indices",
        "_lock",
        "_names",
        "cells",
        "clock",
        "current",
        "events",
        "last",
        "on_failure",
        "operations",
        "own",
        "stack",
        "stage",
        "thread",
    )

    def __init__(
        self, root_line: str, stage: Stage, clock: Callable[[], int] = perf_counter_ns
    ) -> None:
        """Start the accounts of the calling thread with `root_line` running."""
        self.stage = stage
        self.thread = get_ident()
        self.clock = clock
        self._lock = Lock()
        self._names: list[str] = [root_line]
        self._indices: dict[str, int] = {root_line: 0}
        self.cells: list[int] = [0]
        self.current = 0
        self.stack: list[int] = []
        self.operations: set[int] = set()
        self.events = 0
        self.own = -1
        self.on_failure: Callable[[Exception], None] | None = None
        self.last = clock()

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each line, by index."""
        return tuple(self._names)

    def index(self, line: str) -> int:
        """Return the line's index, making its cell at the first call; any thread may ask.

        The name comes before the cell: cells that are taken in between are one too long, never
        too short for a line that has an index.
        """
        with self._lock:
            known = self._indices.get(line)
            if known is None:
                known = len(self._names)
                self._names.append(line)
                self.cells.append(0)
                if line.startswith(OPERATION_LINE_PREFIX):
                    self.operations.add(known)
                self._indices[line] = known
            return known

    def charge(self) -> int:
        """Charge the time since the last switch to the running line; return the clock reading."""
        now = self.clock()
        self.cells[self.current] += now - self.last
        self.last = now
        return now

    def take(self) -> list[int]:
        """Return the cells as charged up to the last switch, and start from zero."""
        cells = self.cells
        self.cells = [0] * len(self._names)
        return cells

    def swap(self, cells: list[int]) -> list[int]:
        """Charge up to now, then charge to other `cells`; return those charged so far."""
        self.charge()
        previous, self.cells = self.cells, cells
        cells.extend([0] * (len(self._names) - len(cells)))
        return previous

    def push(self, index: int) -> None:
        """Enter a line that `pop` leaves again."""
        now = self.clock()
        self.cells[self.current] += now - self.last
        self.last = now
        self.stack.append(self.current)
        self.current = index
        self.events += 1

    def pop(self) -> None:
        """Leave the running line for the one that encloses it."""
        now = self.clock()
        self.cells[self.current] += now - self.last
        self.last = now
        self.current = self.stack.pop() if self.stack else 0

    def leave(self, index: int) -> None:
        """Leave the line that `push` entered, and what was left open inside it."""
        self.charge()
        if self.current == index and self.stack:
            self.current = self.stack.pop()
        else:
            self.unwind(index)

    def unwind(self, index: int) -> None:
        """Go back to the line around the innermost open `index`, charging nothing.

        Whatever was entered inside and never left (a generator that was not run to its end, an
        interrupt between two instructions) ends here; nothing happens when it is not open.
        """
        stack = self.stack
        if self.current != index:
            if index not in stack:
                return
            while stack.pop() != index:
                pass
        self.current = stack.pop() if stack else 0

    def remove(self, index: int) -> bool:
        """Take the innermost open `index` out; lines entered after it stay open.

        Returns:
            Whether it was open.
        """
        self.charge()
        stack = self.stack
        if self.current == index:
            self.current = stack.pop() if stack else 0
            return True
        for position in range(len(stack) - 1, 0, -1):
            if stack[position] == index:
                del stack[position]
                return True
        return False

    def failed(self, error: Exception) -> None:
        """Tell of a failure in a span, whose block is somebody else's code and must go on."""
        if self.on_failure is None:
            raise error
        self.on_failure(error)

    def restart(self) -> None:
        """Begin again at the outermost line, in the calling thread.

        Nothing is charged for the time in between.
        """
        self.thread = get_ident()
        self.stack.clear()
        self.current = 0
        self.last = self.clock()


class Span:
    """A reusable, re-entrant context that charges its block to one line of a timeline.

    The bodies repeat `Timeline.push` and `pop`: they run some thirty times in each batch, and a
    method call more would double their cost.
    """

    __slots__ = ("_index", "_timeline")

    def __init__(self, timeline: Timeline, line: str) -> None:
        """Bind the span to a line of `timeline`."""
        self._timeline = timeline
        self._index = timeline.index(line)

    def __enter__(self) -> None:
        timeline = self._timeline
        try:
            now = timeline.clock()
            timeline.cells[timeline.current] += now - timeline.last
            timeline.last = now
            timeline.stack.append(timeline.current)
            timeline.current = self._index
            timeline.events += 1
        except Exception as error:  # noqa: BLE001 - the block goes on whatever fails here
            timeline.failed(error)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        timeline = self._timeline
        try:
            now = timeline.clock()
            timeline.cells[timeline.current] += now - timeline.last
            timeline.last = now
            stack = timeline.stack
            if timeline.current == self._index and stack:
                timeline.current = stack.pop()
            else:  # something was left open inside, or an interrupt struck in an `__enter__`
                timeline.unwind(self._index)
        except Exception as error:  # noqa: BLE001 - the block goes on whatever fails here
            timeline.failed(error)


def measure_event_cost_ns(repeats: int = 2000, rounds: int = 5) -> float:
    """Return the cost of one span (enter and leave) on this machine, in nanoseconds.

    The least of `rounds` means: interruptions only ever add to the time.
    """
    timeline = Timeline("calibration", Stage.SETUP)
    span = Span(timeline, "span")
    best = float("inf")
    for _ in range(rounds):
        begin = perf_counter_ns()
        for _ in range(repeats):
            with span:
                pass
        best = min(best, (perf_counter_ns() - begin) / repeats)
    return best
