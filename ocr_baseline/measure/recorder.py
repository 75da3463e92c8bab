"""`Recorder`: takes the events of a run's main thread, keeps the accounts, writes the records.

The recorder knows nothing of the framework: a callback tells it when a stage, an epoch, a fetch
and a batch begin, and opens spans for what happens in between. A background thread (`heartbeat.py`)
samples memory and puts finished rows on disk every second, so that a run that is killed loses one
second of batches at most.
"""

from __future__ import annotations

import threading
from itertools import chain
from typing import TYPE_CHECKING

from ocr_baseline.clocks import perf_counter_ns
from ocr_baseline.layout import records_name
from ocr_baseline.measure import rows
from ocr_baseline.measure.device import DEVICE_LINES, DeviceSpan
from ocr_baseline.measure.flush_request import FlushRequest
from ocr_baseline.measure.garbage import GarbagePauses
from ocr_baseline.measure.open_stages import OpenStages
from ocr_baseline.measure.operations import Operations
from ocr_baseline.measure.sampling import StackSampler
from ocr_baseline.measure.stack_records import StackRecords
from ocr_baseline.measure.timeline import Span, Timeline, measure_event_cost_ns
from ocr_baseline.records.format import FORMAT_NAME, FORMAT_VERSION, ROWS_PER_RECORD
from ocr_baseline.records.writer import RecordWriter
from ocr_baseline.vocabulary import REPORTED_STAGES, Line, Stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ocr_baseline.measure.batches import EpochRow, StageState
    from ocr_baseline.measure.device import DeviceTimeline
    from ocr_baseline.records.format import HeaderFields, Record


class Recorder:
    """Records one run of one process; `resume` and `pause` bracket the trainer's entry points.

    The stage, epoch and batch methods belong to the thread that made the recorder. `operations`
    listens to sections; those of other threads leave the accounts of the main thread alone.
    """

    def __init__(
        self,
        folder: Path,
        *,
        rank: int = 0,
        clock: Callable[[], int] = perf_counter_ns,
        device: DeviceTimeline | None = None,
        started_ns: int | None = None,
        sampling_hz: float = 0.0,
    ) -> None:
        """Open the record file of `rank` in `folder`.

        Args:
            folder: Where the file goes.
            rank: Which process of the run this is.
            clock: Nanoseconds that only grow; default Python's.
            device: Keep its time as well.
            sampling_hz: Sample call stacks so many times a second; 0 samples none.
            started_ns: The clock when the run began, where another process began to record it.

        Raises:
            OSError: When the file can't be made.
        """
        self.folder = folder
        self.rank = rank
        self.started_ns = clock() if started_ns is None else started_ns
        self.timeline = Timeline(Line.OTHER.value, Stage.SETUP, clock)
        self.timeline.own = self.timeline.index(Line.PROFILER.value)
        self.event_cost_ns = measure_event_cost_ns()
        self.flush_request = FlushRequest()
        self._writer = RecordWriter(folder / records_name(rank))
        self.operations = Operations(self.timeline)
        self._tallies = rows.Tallies()
        self.stages = OpenStages(self.timeline, device)
        self._wait_index = self.timeline.index(Line.DATA_WAIT.value)
        self._startup_index = self.timeline.index(Line.LOADER_STARTUP.value)
        self._forward_index = self.timeline.index(Line.FORWARD.value)
        self._fetch_index = self._wait_index
        self._device = device
        self.sampling_hz = sampling_hz
        self._sampler = StackSampler(self.timeline, sampling_hz) if sampling_hz else None
        self._stacks = None if self._sampler is None else StackRecords(self._sampler, self.timeline)
        self._garbage = GarbagePauses(self.timeline)
        self.discarded_batches = 0
        self._has_trained = False
        self._is_paused = True
        self._flush_lock = threading.Lock()

    def follow(self, device: DeviceTimeline) -> None:
        """Keep the time of a device as well from now on; spans made before are the host's alone."""
        self._device = device
        self.stages.follow(device)

    @property
    def follows_device(self) -> bool:
        """Whether the time of a device is kept."""
        return self._device is not None

    def write_header(self, header: HeaderFields) -> None:
        """Write who, where and with what; later headers of the same run win key by key."""
        self._writer.write(
            {"type": "header", "format": FORMAT_NAME, "version": FORMAT_VERSION, **header}
        )

    def write(self, record: Record) -> None:
        """Append any other record."""
        self._writer.write(record)

    @property
    def no_sampling(self) -> str | None:
        """Why call stacks can't be sampled though they should be, None while they can."""
        return None if self._sampler is None else self._sampler.why_not

    def now_ns(self) -> int:
        """Nanoseconds since the recorder was made."""
        return self.timeline.clock() - self.started_ns

    def resume(self) -> None:
        """Begin to charge time, after construction or `pause`."""
        if self._is_paused:
            self._is_paused = False
            self.timeline.restart()
            self.timeline.take()  # what spans that outlived the pause were charged
            self.stages.forget_uncounted()
            self._open_setup()
            self.operations.forget_open_calls()
            self._garbage.start()
            if self._sampler is not None:
                self._sampler.start()

    def pause(self) -> None:
        """End every open stage and stop charging time until `resume`."""
        if self._is_paused:
            return
        self.stop_listening()
        while not self.stages.has_setup_alone:
            self.close_stage(self.stage)
        self._close_setup()
        self._is_paused = True
        try:
            self.flush(with_samples=True)
        finally:
            self._forget_stacks()

    def _forget_stacks(self) -> None:
        if self._stacks is not None:
            with self._flush_lock:
                self._stacks.forget()

    def release(self) -> None:
        """Close the file until the next record."""
        self._writer.release()

    def has_its_place(self) -> bool:
        """Whether no other run has put its records in the place of these."""
        return self._writer.is_in_place()

    def let_go(self) -> None:
        """Write no more: the place of the file is another run's."""
        self._writer.close()

    def close(self) -> None:
        """Pause, write what is left and close the file."""
        self.pause()
        self._writer.close()

    def stop_listening(self) -> None:
        """Take away what the interpreter calls by itself; needs no disk, harmless when repeated."""
        self._garbage.stop()
        self._stop_sampling()

    def _stop_sampling(self) -> None:
        if self._sampler is None or not self._sampler.is_running:
            return
        self._sampler.stop()
        if self._sampler.why_not is not None:
            self.operations.note(
                "Call stacks were sampled in a part of the run alone, because "
                f"{self._sampler.why_not}."
            )

    def _open_setup(self) -> None:
        self.stages.state_of(Stage.SETUP).open_epoch(0, self.timeline.last)

    def _close_setup(self) -> None:
        self._close_epoch(self.stages.state_of(Stage.SETUP))

    def _end_of_set_up(self) -> None:
        """Close the setup's pass as the first training begins: what comes later is no set-up."""
        if self.stages.has_setup_alone and not self._has_trained:
            self._has_trained = True
            self.timeline.charge()
            self._close_setup()
            self._open_setup()

    @property
    def stage(self) -> Stage:
        """The innermost open stage."""
        return self.stages.current.stage

    def span(self, line: str) -> Span:
        """Return a reusable context that charges its block to `line`."""
        if self._device is not None and line in DEVICE_LINES:
            return DeviceSpan(self.timeline, line, self._device)
        return Span(self.timeline, line)

    def open_stage(self, stage: Stage, epoch: int) -> None:
        """Begin a stage inside the open one, whose clock stops until `close_stage`."""
        if stage is Stage.TRAIN:
            self._end_of_set_up()
        state = self.stages.state_of(stage)
        self.stages.enter(state)
        state.open_epoch(epoch, self.timeline.last)

    @property
    def has_finished_batches(self) -> bool:
        """Whether a stage that is reported has finished a batch, the one under way apart."""
        return any(self.stages.state_of(stage).position for stage in REPORTED_STAGES)

    def close_stage(self, stage: Stage) -> EpochRow | None:
        """End the innermost stage if it is `stage`; return its last epoch's row."""
        state = self.stages.current
        if state.stage is not stage or self.stages.has_setup_alone:
            return None
        self.timeline.charge()
        row = self._close_epoch(state)
        self.stages.leave()
        return row

    def end_epoch(self) -> EpochRow | None:
        """Close the innermost stage's epoch; return its row, None when it had no batch yet."""
        self.timeline.charge()
        state = self.stages.current
        has_batches = state.epoch_batches > 0 or state.has_started_batch
        return self._close_epoch(state) if has_batches else None

    def begin_epoch(self, epoch: int) -> None:
        """Begin an epoch of the innermost stage."""
        self.stages.current.open_epoch(epoch, self.timeline.charge())

    def end_batches(self) -> None:
        """Close the last batch of an epoch; what follows is the epoch's tail."""
        self.timeline.charge()
        self._end_batch(self.stages.current)

    def leave_batches(self) -> None:
        """Close the last batch of an epoch; `settle_batch` tells whether it was done."""
        state = self.stages.current
        self.timeline.charge()
        if state.has_started_batch:
            state.left_cells = self.timeline.take()

    def settle_batch(self, *, is_done: bool) -> None:
        """The last batch of the loop was done, or an exception has ended it."""
        state = self.stages.current
        state.is_batch_done = is_done
        if state.left_cells is not None:
            self._close_batch(state, state.left_cells)

    def begin_fetch(self) -> None:
        """The next batch is asked for: the one before ends here.

        A fetch inside a step (the `dataloader_iter` flavour) is only time that was waited.
        """
        timeline = self.timeline
        state = self.stages.current
        is_inside_step = timeline.current == self._forward_index or (
            self._forward_index in timeline.stack
        )
        is_first = state.is_fetching_first and not is_inside_step
        self._fetch_index = self._startup_index if is_first else self._wait_index
        if not is_inside_step and (is_first or state.batch_idx is not None):
            timeline.charge()
            self._end_batch(state)
            state.batch_start_ns = timeline.last
            state.is_fetching_first = False
            if self._device is not None:
                line = Line.LOADER_STARTUP if is_first else Line.DATA_WAIT
                self._device.begin_batch(state.position, line.value)
        timeline.push(self._fetch_index)

    def start_loader(self) -> None:
        """A loader began inside the fetch (the next of several): the rest of it is its start."""
        if self.timeline.current == self._wait_index == self._fetch_index:
            self.timeline.current = self._fetch_index = self._startup_index

    def end_fetch(self) -> None:
        """The batch is there, or the loader has no more."""
        self.timeline.leave(self._fetch_index)
        if self._device is not None:
            self._device.end_fetch()

    def begin_batch(self, batch_idx: int, dataloader_idx: int, samples: int | None) -> None:
        """The fetched batch goes to the step hooks."""
        state = self.stages.current
        if state.batch_idx is not None:
            self.timeline.charge()
            self._end_batch(state)
        if state.batch_start_ns is None:
            state.batch_start_ns = self.timeline.last
        state.batch_idx = batch_idx
        state.dataloader_idx = dataloader_idx
        state.samples = samples
        state.is_batch_done = False

    def finish_batch(self) -> None:
        """The started batch is done: it counts, with the time until the next is asked for."""
        self.stages.current.is_batch_done = True

    def _end_batch(self, state: StageState) -> None:
        """Close the started batch with the cells charged so far; without one they are tail."""
        if state.left_cells is not None:
            state.is_batch_done = True
            self._close_batch(state, state.left_cells)
        self._close_batch(state, self.timeline.take())

    def _close_batch(self, state: StageState, cells: list[int]) -> None:
        state.left_cells = None
        if self._device is not None and state.has_started_batch:
            if state.is_batch_done:
                is_first = state.epoch_batches == 0
                self._device.end_batch(state.stage, state.epoch, state.position, is_first=is_first)
            else:
                self._device.abandon_batch()
        state.close_batch(cells)
        if len(state.rows) >= ROWS_PER_RECORD:
            self.flush_request.make()
            self._garbage.bound()

    def _close_epoch(self, state: StageState) -> EpochRow | None:
        self._end_batch(state)
        state.add_to_tail(self.timeline.take())
        self.stages.count(state)
        return state.close_epoch()

    def flush(self, *, with_samples: bool = False) -> None:
        """Write the finished rows, and with them the tallies of operations that changed.

        Args:
            with_samples: Write the sampled call times of operations too.

        Raises:
            OSError: When the file can't be written.
        """
        with self.flush_request.being_met(), self._flush_lock:
            has_rows = any(state.rows or state.epochs for state in self.stages)
            for state in self.stages:
                self._write_batches(state)
                for epoch in rows.epoch_records(state, self.timeline, self.started_ns):
                    self._writer.write(epoch)
            if has_rows or with_samples:
                self._write_tallies(with_samples=with_samples)
            if self._device is not None:
                for batch in self._device.records(wait=self._is_paused):
                    self._writer.write(batch)
            if self._stacks is not None:
                for stacks in self._stacks.due(at_once=with_samples):
                    self._writer.write(stacks)
            for pauses in self._garbage.records():
                self._writer.write(pauses)

    def _write_batches(self, state: StageState) -> None:
        for record in rows.batch_records(state, self.timeline, self.started_ns):
            try:
                self._writer.write(record)
            except OSError:
                self.discarded_batches += len(record["start_ns"])
                raise

    def _write_tallies(self, *, with_samples: bool) -> None:
        operations = self.operations
        for warning in rows.warning_records(operations):
            self._writer.write(warning)
        for record in chain(
            self._tallies.of_operations(operations, "main", with_samples=with_samples),
            self._tallies.of_threads(operations.threads, with_samples=with_samples),
        ):
            self._writer.write(record)

    def discard_rows(self) -> None:
        """Drop finished rows that could not be written, so that they don't fill the memory."""
        self.flush_request.withdraw()
        for state in self.stages:
            self.discarded_batches += len(state.rows)
            state.rows.clear()
