"""What happens inside data-loader workers: start-up, batches, and the operations within them.

A `WorkerStart` travels to each worker as its init function. There it runs the user's own init
function, installs the timed operations and appends to a record file of the worker's. Clock
readings of different processes compare, because `perf_counter_ns` reads the machine's monotonic
clock.
"""

from __future__ import annotations

import os
from contextlib import suppress
from multiprocessing import util as multiprocessing_util
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from ocr_baseline.errors import OperationError
from ocr_baseline.layout import worker_records_name
from ocr_baseline.measure import sections
from ocr_baseline.measure.collate import time_held_collate
from ocr_baseline.measure.instrument import Instrumentation
from ocr_baseline.measure.operation_names import resolve
from ocr_baseline.measure.operations import Operations
from ocr_baseline.measure.rows import Tallies, line_columns
from ocr_baseline.measure.timeline import Timeline
from ocr_baseline.records.format import FORMAT_NAME, FORMAT_VERSION
from ocr_baseline.records.writer import RecordWriter
from ocr_baseline.vocabulary import FETCH_LINE, IDLE_LINE, Stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ocr_baseline.records.format import WorkerBatchesJson

WRITE_INTERVAL_NS = 500_000_000
ROWS_BEFORE_WRITE = 500


class WorkerRecorder:
    """Records one loader worker; its `operations` listen to the sections of the process."""

    def __init__(
        self, folder: Path, *, rank: int, stage: Stage, worker_id: int, origin_ns: int
    ) -> None:
        """Open the worker's record file.

        Raises:
            OSError: When the file can't be made.
        """
        self._stage = stage
        self._origin_ns = origin_ns
        self._worker_id = worker_id
        self._timeline = Timeline(IDLE_LINE, stage)
        self._fetch_index = self._timeline.index(FETCH_LINE)
        self.operations = Operations(self._timeline)
        self._tallies = Tallies()
        self._starts_ns: list[int] = []
        self._ends_ns: list[int] = []
        self._cells_ns: list[list[int]] = []
        self._written_at_ns = perf_counter_ns()
        self._writer = RecordWriter(
            folder / worker_records_name(rank, stage.value, worker_id),
            # A worker may outlive its run, and the next run in the folder removes its file.
            is_made_anew=False,
        )

    def write_start(self, asked_ns: int, prefetch_factor: int | None) -> None:
        """Record how long the worker took to be ready, and how far its loader asks ahead."""
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
        is_due = timeline.last - self._written_at_ns >= WRITE_INTERVAL_NS
        if is_due or len(self._cells_ns) >= ROWS_BEFORE_WRITE:
            with suppress(OSError):
                self.write_rows()

    def end_data(self) -> None:
        """The dataset of a stream has come to its end: no batch was made."""
        self._timeline.pop()
        self._timeline.take()
        self._starts_ns.pop()

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
        }
        self._starts_ns, self._ends_ns, self._cells_ns = [], [], []
        self._writer.write(record)
        self._write_tallies(with_sample=False)

    def close(self) -> None:
        """Write what is left; runs as the worker process ends."""
        with suppress(OSError):
            self.write_rows()
            self._write_tallies(with_sample=True)
        self._writer.close()

    def _write_tallies(self, *, with_sample: bool) -> None:
        tallies = self._tallies.of_operations(self.operations, "worker", with_samples=with_sample)
        for record in tallies:
            self._writer.write({**record, "pid": os.getpid(), "worker": self._worker_id})


class WorkerStart:
    """A picklable `worker_init_fn` that records the worker and then runs the user's own.

    A failure to record is passed over: the worker runs on without records.
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
        user_init: Callable[[int], None] | None,
    ) -> None:
        """Note what the worker needs, and the instant at which it was asked for."""
        self.folder = folder
        self.rank = rank
        self.stage = stage
        self.origin_ns = origin_ns
        self.operations = operations
        self.prefetch_factor = prefetch_factor
        self.user_init = user_init
        self.asked_ns = perf_counter_ns()

    def __call__(self, worker_id: int) -> None:
        """Run in the worker, before its first batch."""
        recorder = self._start_recording(worker_id)
        if self.user_init is not None:
            self.user_init(worker_id)
        if recorder is not None:
            with suppress(OSError):
                recorder.write_start(self.asked_ns, self.prefetch_factor)

    def _start_recording(self, worker_id: int) -> WorkerRecorder | None:
        try:
            recorder = WorkerRecorder(
                self.folder,
                rank=self.rank,
                stage=self.stage,
                worker_id=worker_id,
                origin_ns=self.origin_ns,
            )
        except OSError:
            sections.listen(None)
            return None
        _time_fetches(recorder)
        if not sections.is_listening():
            self._time_operations()
        sections.listen(recorder.operations)
        multiprocessing_util.Finalize(recorder, recorder.close, exitpriority=100)
        return recorder

    def _time_operations(self) -> None:
        """Time the operations in a worker that was spawned, and so inherited none.

        One that can't be found here, as in a script's `__main__`, goes untimed.
        """
        instrumentation = Instrumentation()
        found = []
        for name in self.operations:
            with suppress(OperationError):
                found.append((resolve(name), sections.section(name)))
        with suppress(OperationError):
            instrumentation.time(*found)
        time_held_collate(instrumentation)


def _time_fetches(recorder: WorkerRecorder) -> None:
    """Bracket the making of each batch; a torch without these classes leaves batches untimed."""
    from torch.utils.data._utils import fetch

    for class_name in ("_MapDatasetFetcher", "_IterableDatasetFetcher"):
        fetcher = getattr(fetch, class_name, None)
        if fetcher is not None:
            fetcher.fetch = _bracketed(fetcher.fetch, recorder)


def _bracketed(
    function: Callable[[Any, Any], Any], recorder: WorkerRecorder
) -> Callable[[Any, Any], Any]:
    def fetch(self: Any, index: Any) -> Any:
        recorder.begin_fetch()
        try:
            batch = function(self, index)
        except StopIteration:
            recorder.end_data()
            raise
        except BaseException:
            recorder.end_fetch()
            raise
        recorder.end_fetch()
        return batch

    return fetch
