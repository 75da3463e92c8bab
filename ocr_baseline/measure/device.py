"""The device's own time: marks put into its queue as the run goes, read when it has passed them.

On an accelerator the host runs ahead: a step's time on the host's clock is the time to queue it.
A mark (a CUDA event) costs the host some microseconds and never waits; the time between two marks
is known once the device has passed both. One batch in `EVERY_BATCHES` is marked, which keeps the
cost of a batch under a microsecond on average.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ocr_baseline.measure.timeline import Span
from ocr_baseline.vocabulary import SECONDS_PER_NS, Line, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from ocr_baseline.measure.timeline import Timeline
    from ocr_baseline.records.format import DeviceBatchJson

EVERY_BATCHES = 8

DEVICE_LINES = frozenset(
    {Line.TRANSFER.value, Line.FORWARD.value, Line.BACKWARD.value, Line.OPTIMIZER.value}
)
"""The lines that queue work on the device; what is queued in between counts as `other`."""


class DeviceClock(Protocol):
    """A device whose queue takes marks."""

    name: str

    def mark(self) -> Any:
        """Put a mark into the queue, or return None where it takes none now; does not wait."""

    def elapsed_s(self, begin: Any, end: Any) -> float | None:
        """Return the device's time between two marks, None while it has not passed the second."""

    def wait(self, mark: Any) -> None:
        """Wait until the device has passed a mark; for the end of a run only."""


class MarkedBatch(NamedTuple):
    """A batch with its marks: each mark ends the line of the one before and begins its own."""

    stage: Stage
    epoch: int
    position: int
    is_first_of_epoch: bool
    marks: list[tuple[Any, str]]


class DeviceTimeline:
    """Marks some batches of the run; a mark's line is the innermost device line on the host."""

    def __init__(self, clock: DeviceClock, every_batches: int = EVERY_BATCHES) -> None:
        """Mark one batch in `every_batches` of each stage."""
        self.clock = clock
        self._every_batches = every_batches
        self._lines: list[str] = [Line.OTHER.value]
        self._marks: list[tuple[Any, str]] | None = None
        self._pending: deque[MarkedBatch] = deque()
        self._read: deque[DeviceBatchJson] = deque()

    def begin_batch(self, position: int, fetch_line: str) -> None:
        """A batch is asked for, the `position`-th of its stage; what is done by now is read.

        Args:
            position: Of the batch, in its stage.
            fetch_line: The line of waiting for it. Nothing is queued meanwhile, so the device's
                time in it is the time in which the device had nothing to do.
        """
        if position % self._every_batches == 0:
            self._read.extend(self._finished(wait=False))
            self._marks = []
            self._mark(fetch_line)

    def end_fetch(self) -> None:
        """The batch that was asked for is there."""
        self._mark(self._lines[-1])

    def end_batch(self, stage: Stage, epoch: int, position: int, *, is_first: bool) -> None:
        """The batch that was asked for has ended."""
        self._mark("")
        if self._marks is not None:
            self._pending.append(MarkedBatch(stage, epoch, position, is_first, self._marks))
            self._marks = None

    def abandon_batch(self) -> None:
        """The batch that was asked for never came, or another stage began inside it."""
        self._marks = None

    def enter(self, line: str) -> None:
        """Work of a line begins to be queued."""
        self._lines.append(line)
        self._mark(line)

    def leave(self) -> None:
        """The innermost line has queued its work."""
        if len(self._lines) > 1:
            self._lines.pop()
        self._mark(self._lines[-1])

    def _mark(self, line: str) -> None:
        """Mark where a line begins; a batch in which the device takes no mark isn't told."""
        if self._marks is None:
            return
        mark = self.clock.mark()
        if mark is None:
            self._marks = None
        else:
            self._marks.append((mark, line))

    def records(self, *, wait: bool = False) -> Iterator[DeviceBatchJson]:
        """Take off the batches that were read and yield one record for each; any thread may ask.

        Args:
            wait: Read the batches still under way too, and wait for the device to finish them;
                for the thread that marks.
        """
        if wait:
            self._read.extend(self._finished(wait=True))
        while self._read:
            yield self._read.popleft()

    def _finished(self, *, wait: bool) -> Iterator[DeviceBatchJson]:
        """Read the batches that the device has finished, in the thread that marks.

        A thread beside it must not: CUDA breaks off the capture of a graph in one thread when
        another asks whether an event has happened.
        """
        while self._pending:
            batch = self._pending[0]
            if wait:
                self.clock.wait(batch.marks[-1][0])
            lines_ns = self._lines_ns(batch)
            if lines_ns is None:
                return
            self._pending.popleft()
            yield {
                "type": "device_batch",
                "clock": self.clock.name,
                "stage": batch.stage.value,
                "epoch": batch.epoch,
                "position": batch.position,
                "is_first_of_epoch": batch.is_first_of_epoch,
                "lines_ns": lines_ns,
            }

    def _lines_ns(self, batch: MarkedBatch) -> dict[str, int] | None:
        lines_ns: dict[str, int] = {}
        last_mark = batch.marks[-1][0]
        if self.clock.elapsed_s(batch.marks[0][0], last_mark) is None:
            return None
        for (begin, line), (end, _) in zip(batch.marks, batch.marks[1:], strict=False):
            elapsed_s = self.clock.elapsed_s(begin, end)
            if elapsed_s is None:
                return None
            lines_ns[line] = lines_ns.get(line, 0) + round(elapsed_s / SECONDS_PER_NS)
        return lines_ns


class DeviceSpan(Span):
    """A span of the host's timeline that marks the device's queue as well."""

    __slots__ = ("_device", "_line")

    def __init__(self, timeline: Timeline, line: str, device: DeviceTimeline) -> None:
        """Bind the span to a line of both timelines."""
        super().__init__(timeline, line)
        self._device = device
        self._line = line

    def __enter__(self) -> None:
        super().__enter__()
        try:
            self._device.enter(self._line)
        except Exception as error:  # noqa: BLE001 - the block goes on whatever fails here
            self._timeline.failed(error)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._device.leave()
        except Exception as error:  # noqa: BLE001 - the block goes on whatever fails here
            self._timeline.failed(error)
        super().__exit__(exc_type, exc, traceback)
