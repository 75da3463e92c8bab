"""Records one loader worker: when it made each batch, what that took, the operations within it."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ocr_baseline.clocks import perf_counter_ns
from ocr_baseline.layout import worker_records_name
from ocr_baseline.measure import sections
from ocr_baseline.measure.operations import Operations
from ocr_baseline.measure.processor_time import ProcessorClock, ProcessorTime
from ocr_baseline.measure.reading import Reading, ReadingClock
from ocr_baseline.measure.rows import Tallies, line_columns, warning_records
from ocr_baseline.measure.sampling import StackSampler
from ocr_baseline.measure.slowest import Slowest
from ocr_baseline.measure.stack_records import StackRecords
from ocr_baseline.measure.timeline import Span, Timeline
from ocr_baseline.records.format import FORMAT_NAME, FORMAT_VERSION
from ocr_baseline.records.writer import RecordWriter
from ocr_baseline.vocabulary import FETCH_LINE, IDLE_LINE, SECONDS_PER_NS, Line, Stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import CodeType

    from ocr_baseline.records.format import WorkerBatchesJson

WRITE_INTERVAL_NS = 500_000_000
ROWS_BEFORE_WRITE = 500
SLOWEST_INTERVAL_NS = 5_000_000_000


class WorkerRecorder:
    """Records one loader worker.

    Attributes:
        operations: Listen to the sections of the process.
        slowest: Is offered what the worker makes for the stage that it works for.
    """

    def __init__(
        self,
        folder: Path,
        *,
        rank: int,
        stage: Stage,
        worker_id: int,
        origin_ns: int,
        sampling_hz: float = 0.0,
        inside: CodeType | None = None,
    ) -> None:
        """Open the worker's record file.

        Call stacks are sampled `sampling_hz` times a second; they begin after the function of
        `inside`.

        Raises:
            OSError: When the file can't be made.
        """
        self._stage = stage
        self._origin_ns = origin_ns
        self._worker_id = worker_id
        self._timeline = Timeline(IDLE_LINE, stage)
        self._fetch_index = self._timeline.index(FETCH_LINE)
        self._own = Span(self._timeline, Line.PROFILER.value)
        self._timeline.own = self._timeline.index(Line.PROFILER.value)
        self.operations = Operations(self._timeline)
        self._tallies = Tallies()
        self._sampler = StackSampler(self._timeline, sampling_hz) if sampling_hz else None
        self._stacks = (
            None
            if self._sampler is None
            else StackRecords(
                self._sampler,
                self._timeline,
                worker=worker_id,
                inside=inside,
            )
        )
        self._starts_ns: list[int] = []
        self._ends_ns: list[int] = []
        self._cells_ns: list[list[int]] = []
        self._clock = ProcessorClock(stays_open=True)
        self._began = self._clock.read()
        self._processor: list[ProcessorTime] = []
        self._reading_clock = ReadingClock("process", stays_open=True)
        self._read_before = self._reading_clock.read()
        self._reading: list[Reading] = []
        self.slowest = Slowest()
        self._slowest_of = {stage: self.slowest}
        self._written_at_ns = self._slowest_at_ns = perf_counter_ns()
        self._is_over = False
        self.is_ready = False
        self._writer = RecordWriter(
            folder / worker_records_name(rank, stage.value, worker_id),
            # A worker may outlive its run, and the next run in the folder removes its file.
            is_made_anew=False,
        )

    def write_start(self, asked_ns: int, prefetch_factor: int | None) -> None:
        """Record how long the worker took to be ready, and how far its loader asks ahead."""
        self.is_ready = True
        if self._sampler is not None:
            self._sampler.start()
        with self._own:
            self._writer.write(
                {
                    "type": "worker_start",
                    "format": FORMAT_NAME,
                    "version": FORMAT_VERSION,
                    "stage": self._stage.value,
                    "worker": self._worker_id,
                    "pid": os.getpid(),
                    "asked_ns": asked_ns - self._origin_ns,
                    "ready_ns": perf_counter_ns() - self._origin_ns,
                    "prefetch_factor": prefetch_factor,
                }
            )

    def work_for(self, stage: Stage) -> None:
        """Count what follows for this stage, which now reads the loader."""
        if stage is self._stage:
            return
        with suppress(OSError), self._own:
            self.write_rows()
            self._write_slowest()
        self._stage = self._timeline.stage = stage
        self.slowest = self._slowest_of.setdefault(stage, Slowest())

    def begin_fetch(self) -> None:
        """The worker starts to make a batch."""
        self._began = self._clock.read()
        self._read_before = self._reading_clock.read()
        self._timeline.charge()
        self._timeline.take()
        self._timeline.push(self._fetch_index)
        self._starts_ns.append(self._timeline.last)

    def end_fetch(self, indices: object = None) -> None:
        """The batch is made, or failed; `indices` is what the worker was asked for."""
        timeline = self._timeline
        timeline.pop()
        self._ends_ns.append(timeline.last)
        self._cells_ns.append(timeline.take())
        began_ns = self._starts_ns[-1]
        self.slowest.offer_batch(timeline.last - began_ns, began_ns, indices)
        self._processor.append(self._clock.read().since(self._began))
        self._reading.append(self._reading_clock.read().since(self._read_before))
        is_due = timeline.last - self._written_at_ns >= WRITE_INTERVAL_NS
        if is_due or len(self._cells_ns) >= ROWS_BEFORE_WRITE:
            with suppress(OSError), self._own:
                self.write_rows()

    def end_data(self) -> None:
        """The dataset of a stream has come to its end: no batch was made."""
        self._timeline.pop()
        self._timeline.take()
        self._starts_ns.pop()

    def guarded(self, step: Callable[[], None]) -> None:
        """Take a step of the recording; one that fails is the last, and the report says so."""
        if self._is_over:
            return
        try:
            step()
        except Exception as error:  # noqa: BLE001 - the worker's batches are the user's
            self._is_over = True
            sections.listen(None)
            with suppress(Exception):  # the records may be what has failed
                self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        columns: tuple[list[Any], ...] = (
            self._starts_ns,
            self._ends_ns,
            self._cells_ns,
            self._processor,
            self._reading,
        )
        whole = min(map(len, columns))
        for column in columns:
            del column[whole:]
        self.operations.note(
            f"From {(perf_counter_ns() - self._origin_ns) * SECONDS_PER_NS:.1f} s on data-loader "
            f"worker {self._worker_id} of {self._stage.value} was not measured any more "
            f"({type(error).__name__}: {error})."
        )
        self.close()

    def write_rows(self) -> None:
        """Put the finished batches on disk."""
        self._written_at_ns = perf_counter_ns()
        if not self._cells_ns:
            return
        record: WorkerBatchesJson = {
            "type": "worker_batches",
            "stage": self._stage.value,
            "worker": self._worker_id,
            "pid": os.getpid(),
            "start_ns": [start - self._origin_ns for start in self._starts_ns],
            "end_ns": [end - self._origin_ns for end in self._ends_ns],
            "lines_ns": line_columns(self._cells_ns, self._timeline.names),
            "cpu_ns": [taken.cpu_ns for taken in self._processor],
            "queued_ns": [taken.queued_ns for taken in self._processor],
            "read_bytes": [taken.read_bytes for taken in self._reading],
            "disk_read_bytes": [taken.disk_read_bytes for taken in self._reading],
            "disk_wait_ns": [taken.disk_wait_ns for taken in self._reading],
            "torch_threads": _torch_threads(),
        }
        self._starts_ns, self._ends_ns, self._cells_ns = [], [], []
        self._processor, self._reading = [], []
        self._writer.write(record)
        self._write_tallies(with_sample=False)
        self._write_stacks(at_once=False)
        if self._written_at_ns - self._slowest_at_ns >= SLOWEST_INTERVAL_NS:
            self._write_slowest()

    def close(self) -> None:
        """Write what is left; runs as the worker process ends."""
        try:
            if self._sampler is not None:
                self._sampler.stop()
            with suppress(OSError), self._own:
                self.write_rows()
                self._write_tallies(with_sample=True)
                self._write_stacks(at_once=True)
                self._write_slowest()
            self._writer.close()
        finally:
            for slowest in self._slowest_of.values():
                slowest.let_go()

    def _write_tallies(self, *, with_sample: bool) -> None:
        for warning in warning_records(self.operations):
            self._writer.write(warning)
        tallies = self._tallies.of_operations(self.operations, "worker", with_samples=with_sample)
        for record in tallies:
            self._writer.write({**record, "pid": os.getpid(), "worker": self._worker_id})

    def _write_slowest(self) -> None:
        self._slowest_at_ns = self._written_at_ns
        record = self.slowest.record(self._stage, self._worker_id, self._origin_ns)
        if record is not None:
            self._writer.write(record)

    def _write_stacks(self, *, at_once: bool) -> None:
        if self._stacks is None:
            return
        for record in self._stacks.due(at_once=at_once):
            self._writer.write(record)


def _torch_threads() -> int | None:
    """Return in how many threads torch computes here now, None where it isn't loaded."""
    torch = sys.modules.get("torch")
    return None if torch is None else int(torch.get_num_threads())
