"""The stages of a run: which are open, one inside another, and whose cells time is charged to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.measure.batches import StageState
from ocr_baseline.measure.processor_time import ProcessorClock
from ocr_baseline.measure.reading import ReadingClock
from ocr_baseline.measure.stage_peaks import StagePeaks
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.measure.device import DeviceTimeline
    from ocr_baseline.measure.timeline import Timeline


class OpenStages:
    """A stack of stages on a timeline; the setup is its bottom and never leaves it.

    Attributes:
        current: The innermost open stage, which time is charged to.
        peaks: The most accelerator memory of each stage.
    """

    def __init__(self, timeline: Timeline, device: DeviceTimeline | None) -> None:
        """Begin in the setup; a batch that `device` marks is given up when the stage changes."""
        self._timeline = timeline
        self._device = device
        self.peaks = StagePeaks()
        self._states = {stage: StageState(stage) for stage in Stage}
        self.current = self._states[Stage.SETUP]
        self._outer: list[StageState] = []
        self._events_counted = 0
        self._reading_clock = ReadingClock("thread")
        self._read = self._reading_clock.read()
        self._processor_clock = ProcessorClock()
        self._processor = self._processor_clock.read()

    def follow(self, device: DeviceTimeline) -> None:
        """Give up batches of this device too when the stage changes."""
        self._device = device

    def __iter__(self) -> Iterator[StageState]:
        return iter(self._states.values())

    def state_of(self, stage: Stage) -> StageState:
        """Return the running accounts of a stage, open or not."""
        return self._states[stage]

    def is_open(self, stage: Stage) -> bool:
        """Whether the stage is open, innermost or around another."""
        return any(state.stage is stage for state in (*self._outer, self.current))

    @property
    def has_setup_alone(self) -> bool:
        """Whether no stage is open but the setup."""
        return not self._outer

    def enter(self, state: StageState) -> None:
        """Charge to the cells of `state` from now on."""
        if self._device is not None:
            self._device.abandon_batch()
        outer = self.current
        self.peaks.charge(outer.stage)
        outer.cells = self._timeline.swap(state.cells)
        self.count(outer)
        self._outer.append(outer)
        self._make_current(state)

    def leave(self) -> None:
        """Charge to the cells of the enclosing stage again."""
        state = self.current
        self.peaks.charge(state.stage)
        self._make_current(self._outer.pop())
        state.cells = self._timeline.swap(self.current.cells)
        self.count(state)

    def swapped(self, stage: Stage) -> StageSwap:
        """Return a context that charges its block to a stage which may not be open yet."""
        return StageSwap(self, self._states[stage])

    def count(self, state: StageState) -> None:
        """Add what has come since the last count to `state`: spans, reading, processor time."""
        state.events += self._timeline.events - self._events_counted
        self._events_counted = self._timeline.events
        read = self._reading_clock.read()
        state.reading = state.reading.plus(read.since(self._read))
        self._read = read
        processor = self._processor_clock.read()
        state.processor = state.processor.plus(processor.since(self._processor))
        self._processor = processor

    def forget_uncounted(self) -> None:
        """Let what was read and computed since the last count belong to no stage.

        This thread's processor time is counted from now on, as the timeline's time is.
        """
        self._read = self._reading_clock.read()
        self._processor_clock = ProcessorClock()
        self._processor = self._processor_clock.read()

    def _make_current(self, state: StageState) -> None:
        self.current = state
        self._timeline.stage = state.stage


class StageSwap:
    """Charges a block to another stage's cells, whether that stage is open or not."""

    def __init__(self, stages: OpenStages, state: StageState) -> None:
        """Swap to `state` while the block runs."""
        self._stages = stages
        self._state = state
        self._is_swapped = False

    def __enter__(self) -> None:
        if self._stages.current is not self._state:
            self._stages.enter(self._state)
            self._is_swapped = True

    def __exit__(self, *exc_info: object) -> None:
        if self._is_swapped:
            self._stages.leave()
            self._is_swapped = False
