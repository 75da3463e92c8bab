"""Named operations in one thread: calls, inclusive time, and a bounded sample of call times."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ocr.performance.record.timeline import Timeline
    from ocr.performance.stages import Stage

OPERATION_LINE_PREFIX = "op:"
CALL_SAMPLE_SIZE = 2048


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

    def add(self, duration_ns: int, *, is_outermost: bool) -> None:
        """Count a call; one inside another of the same name adds nothing to the total."""
        if self.calls % self.stride == 0:
            self.sample_ns.append(duration_ns)
            if len(self.sample_ns) >= CALL_SAMPLE_SIZE:
                self.sample_ns = self.sample_ns[::2]
                self.stride *= 2
        self.calls += 1
        if is_outermost:
            self.total_ns += duration_ns


class Operation:
    """One named operation on one timeline."""

    __slots__ = ("_index", "_starts_ns", "_timeline", "name", "tallies")

    def __init__(self, timeline: Timeline, name: str) -> None:
        """Give the operation a line of its own on `timeline`."""
        self.name = name
        self.tallies: dict[Stage, CallTally] = {}
        self._timeline = timeline
        self._index = timeline.index(OPERATION_LINE_PREFIX + name)
        self._starts_ns: list[int] = []

    def enter(self) -> None:
        """A call begins."""
        timeline = self._timeline
        timeline.push(self._index)
        timeline.events += 1  # entering through a section costs about twice a plain span
        self._starts_ns.append(timeline.last)

    def exit(self, stage: Stage) -> None:
        """The innermost call ends; one that began before the recording is passed over."""
        timeline = self._timeline
        if not self._starts_ns or timeline.current != self._index:
            return
        timeline.pop()
        tally = self.tallies.get(stage)
        if tally is None:
            tally = self.tallies[stage] = CallTally()
        duration_ns = timeline.last - self._starts_ns.pop()
        tally.add(duration_ns, is_outermost=not self._starts_ns)

    def forget_open_calls(self) -> None:
        """Drop calls that an exception left open."""
        self._starts_ns.clear()
