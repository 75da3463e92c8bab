"""What happens inside data-loader workers: start-up, batches, and the operations within them.

A `MeasuredLoop` is what each worker process runs instead of torch's own loop, which it calls. There
it installs the timed operations and appends to a record file of the worker's. Nothing of the loader
is touched. Clock readings of different processes compare, because `perf_counter_ns` reads the
machine's monotonic clock.
"""

from __future__ import annotations

import inspect
import os
import sys
import threading
from contextlib import contextmanager, suppress
from multiprocessing import util as multiprocessing_util
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from ocr_baseline.errors import OperationError
from ocr_baseline.layout import worker_records_name
from ocr_baseline.measure import sections
from ocr_baseline.measure.instrument import Instrumentation, operation_context
from ocr_baseline.measure.operation_names import resolve
from ocr_baseline.measure.operations import Operations
from ocr_baseline.measure.processor_time import ProcessorClock, ProcessorTime
from ocr_baseline.measure.rows import Tallies, line_columns, warning_records
from ocr_baseline.measure.sampling import StackSampler
from ocr_baseline.measure.stack_records import StackRecords
from ocr_baseline.measure.timeline import Span, Timeline
from ocr_baseline.model.privacy import known_secrets, learn_secrets
from ocr_baseline.records.format import FORMAT_NAME, FORMAT_VERSION
from ocr_baseline.records.writer import RecordWriter
from ocr_baseline.vocabulary import FETCH_LINE, IDLE_LINE, SECONDS_PER_NS, Line, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ocr_baseline.records.format import WorkerBatchesJson

WRITE_INTERVAL_NS = 500_000_000
ROWS_BEFORE_WRITE = 500


class WorkerRecorder:
    """Records one loader worker; its `operations` listen to the sections of the process."""

    def __init__(
        self,
        folder: Path,
        *,
        rank: int,
        stage: Stage,
        worker_id: int,
        origin_ns: int,
        sampling_hz: float = 0.0,
    ) -> None:
        """Open the worker's record file; call stacks are sampled `sampling_hz` times a second.

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
                inside=MeasuredLoop.__call__.__code__,
            )
        )
        self._starts_ns: list[int] = []
        self._ends_ns: list[int] = []
        self._cells_ns: list[list[int]] = []
        self._clock = ProcessorClock()
        self._began = self._clock.read()
        self._processor: list[ProcessorTime] = []
        self._written_at_ns = perf_counter_ns()
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

    def begin_fetch(self) -> None:
        """The worker starts to make a batch."""
        self._began = self._clock.read()
        self._timeline.charge()
        self._timeline.take()
        self._timeline.push(self._fetch_index)
        self._starts_ns.append(self._timeline.last)

    def end_fetch(self) -> None:
        """The batch is made, or failed."""
        timeline = self._timeline
        timeline.pop()
        self._ends_ns.append(timeline.last)
        self._cells_ns.append(timeline.take())
        self._processor.append(self._clock.read().since(self._began))
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
            "torch_threads": _torch_threads(),
        }
        self._starts_ns, self._ends_ns, self._cells_ns, self._processor = [], [], [], []
        self._writer.write(record)
        self._write_tallies(with_sample=False)
        self._write_stacks(at_once=False)

    def close(self) -> None:
        """Write what is left; runs as the worker process ends."""
        if self._sampler is not None:
            self._sampler.stop()
        with suppress(OSError), self._own:
            self.write_rows()
            self._write_tallies(with_sample=True)
            self._write_stacks(at_once=True)
        self._writer.close()

    def _write_tallies(self, *, with_sample: bool) -> None:
        for warning in warning_records(self.operations):
            self._writer.write(warning)
        tallies = self._tallies.of_operations(self.operations, "worker", with_samples=with_sample)
        for record in tallies:
            self._writer.write({**record, "pid": os.getpid(), "worker": self._worker_id})

    def _write_stacks(self, *, at_once: bool) -> None:
        if self._stacks is None:
            return
        for record in self._stacks.due(at_once=at_once):
            self._writer.write(record)


class MeasuredLoop:
    """Runs torch's worker loop in a worker process and records it; picklable.

    A failure to record ends the recording of that worker, and nothing else.
    """

    def __init__(
        self,
        folder: Path,
        *,
        rank: int,
        stage: Stage,
        origin_ns: int,
        operations: tuple[str, ...],
        prefetch_factor: int | None,
        sampling_hz: float = 0.0,
    ) -> None:
        """Note what the worker needs, and the instant at which it was asked for."""
        self.folder = folder
        self.rank = rank
        self.stage = stage
        self.origin_ns = origin_ns
        self.operations = operations
        self.prefetch_factor = prefetch_factor
        self.sampling_hz = sampling_hz
        self.asked_ns = perf_counter_ns()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run in the worker process, from its start to its end."""
        loop = _own_loop()
        _starting.loop = None  # loaders inside the worker start workers of their own
        try:
            worker_id = inspect.signature(loop).bind(*args, **kwargs).arguments["worker_id"]
            recorder = self._start_recording(worker_id)
            _bracket_fetches(recorder, on_ready=lambda: self._write_start(recorder))
        except Exception:  # noqa: BLE001 - a worker that can't be measured works on
            sections.listen(None)
        return loop(*args, **kwargs)

    def _write_start(self, recorder: WorkerRecorder) -> None:
        recorder.write_start(self.asked_ns, self.prefetch_factor)

    def _start_recording(self, worker_id: int) -> WorkerRecorder:
        """Open the records of this worker and time the operations in it."""
        recorder = WorkerRecorder(
            self.folder,
            rank=self.rank,
            stage=self.stage,
            worker_id=worker_id,
            origin_ns=self.origin_ns,
            sampling_hz=self.sampling_hz,
        )
        recorder.operations.reserve(self.operations)
        if not sections.is_listening():
            self._time_operations()
        sections.listen(recorder.operations)
        multiprocessing_util.Finalize(recorder, recorder.close, exitpriority=100)
        return recorder

    def _time_operations(self) -> None:
        """Time the operations in a worker that was spawned, and so inherited none.

        One that can't be found here, as in a script's `__main__`, goes untimed.
        """
        found = []
        for name in self.operations:
            with suppress(OperationError):
                found.append((resolve(name, is_tried=True), operation_context(name)))
        with suppress(OperationError):
            Instrumentation().time(*found)


class _StartedLoop:
    """In the place of torch's loop: becomes the `MeasuredLoop` of the thread that starts a worker.

    A thread that starts workers of its own meanwhile gets torch's.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run in a worker that was forked."""
        return self._loop()(*args, **kwargs)

    def __reduce__(self) -> Any:
        """Travel to a worker that is spawned or comes from a fork server.

        The secrets that its records must not hold go with the loop, through the pipe that brings
        the dataset too. They are written nowhere.
        """
        loop = self._loop()
        return (_own_loop, ()) if loop is _own_loop() else (_received, (loop, known_secrets()))

    def _loop(self) -> Any:
        return getattr(_starting, "loop", None) or _own_loop()


def _received(loop: MeasuredLoop, secrets: tuple[str, ...]) -> MeasuredLoop:
    with suppress(Exception):  # a worker starts, whatever becomes of its measuring
        learn_secrets(secrets)
    return loop


_starting = threading.local()
_started_loop = _StartedLoop()
_torch_loops: list[Any] = []
"""What `_started_loop` is in the place of, once for each thread that starts workers now."""
_lock = threading.Lock()


@contextmanager
def measured_workers(loop: MeasuredLoop) -> Iterator[None]:
    """Let the workers that this thread starts inside the block run `loop`.

    A torch that names its loop otherwise runs its own.
    """
    from torch.utils.data._utils import worker

    if not hasattr(worker, "_worker_loop"):
        yield
        return
    with _lock:
        _torch_loops.append(_own_loop())
        worker._worker_loop = _started_loop
    _starting.loop = loop
    try:
        yield
    finally:
        _starting.loop = None
        with _lock:
            own = _torch_loops.pop()
            if not _torch_loops and worker._worker_loop is _started_loop:
                worker._worker_loop = own


def _own_loop() -> Any:
    """Return torch's loop, or what another library has put in its place."""
    from torch.utils.data._utils import worker

    return _torch_loops[-1] if worker._worker_loop is _started_loop else worker._worker_loop


def _torch_threads() -> int | None:
    """Return in how many threads torch computes here now, None where it isn't loaded."""
    torch = sys.modules.get("torch")
    return None if torch is None else int(torch.get_num_threads())


def _bracket_fetches(recorder: WorkerRecorder, on_ready: Callable[[], None]) -> None:
    """Bracket each batch that torch's loop makes in this process.

    Loaders inside the worker have fetchers too, which another function than the loop makes.
    A torch without these names leaves the batches untimed.
    """
    from torch.utils.data.dataloader import _DatasetKind

    create: Any = _DatasetKind.create_fetcher
    process = os.getpid()

    def create_fetcher(*args: Any, **kwargs: Any) -> Any:
        is_of_loop = sys._getframe(1).f_code.co_name == "_worker_loop" and os.getpid() == process
        if is_of_loop and not recorder.is_ready:
            recorder.guarded(on_ready)
        fetcher = create(*args, **kwargs)
        if is_of_loop:
            fetcher.fetch = _bracketed(fetcher.fetch, recorder)
        return fetcher

    _DatasetKind.create_fetcher = staticmethod(create_fetcher)  # type: ignore[method-assign]  # in a process of its own


def _bracketed(function: Callable[[Any], Any], recorder: WorkerRecorder) -> Callable[[Any], Any]:
    def fetch(index: Any) -> Any:
        recorder.guarded(recorder.begin_fetch)
        try:
            batch = function(index)
        except StopIteration:
            recorder.guarded(recorder.end_data)
            raise
        except BaseException:
            recorder.guarded(recorder.end_fetch)
            raise
        recorder.guarded(recorder.end_fetch)
        return batch

    return fetch
