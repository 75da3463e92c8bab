"""What was measured as records: columns of many rows in one JSON object, nanoseconds."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from ocr_baseline.records.format import ROWS_PER_RECORD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ocr_baseline.measure.batches import StageState
    from ocr_baseline.measure.memory import MemorySample
    from ocr_baseline.measure.operations import CallTally, Operations, ThreadSections
    from ocr_baseline.measure.timeline import Timeline
    from ocr_baseline.records.format import (
        BatchesJson,
        EpochJson,
        MemoryJson,
        OperationJson,
        Place,
        WarningJson,
    )
    from ocr_baseline.vocabulary import Stage


def batch_records(state: StageState, timeline: Timeline, origin_ns: int) -> Iterator[BatchesJson]:
    """Take the finished batches off the stage and yield them as columns."""
    while state.rows:
        count = min(len(state.rows), ROWS_PER_RECORD)
        columns = zip_longest(*(state.rows.popleft() for _ in range(count)), fillvalue=0)
        epoch, batch_idx, dataloader_idx, samples, start_ns, *cells_ns = columns
        yield {
            "type": "batches",
            "stage": state.stage.value,
            "epoch": list(epoch),
            "batch_idx": list(batch_idx),
            "dataloader_idx": list(dataloader_idx),
            "samples": list(samples),
            "start_ns": [instant_ns - origin_ns for instant_ns in start_ns],
            "lines_ns": _by_line(cells_ns, timeline.names),
        }


def line_columns(cells_ns: Sequence[list[int]], names: Sequence[str]) -> dict[str, list[int]]:
    """Turn rows of cells into a column for each line that any row has time in.

    A row is as long as there were lines when it was taken, or longer by cells that no line has
    yet; `names` must be read after that.
    """
    return _by_line(zip_longest(*cells_ns, fillvalue=0), names)


def _by_line(columns: Iterable[Sequence[int]], names: Sequence[str]) -> dict[str, list[int]]:
    return {name: list(column) for name, column in zip(names, columns, strict=False) if any(column)}


def epoch_records(state: StageState, timeline: Timeline, origin_ns: int) -> Iterator[EpochJson]:
    """Take the finished epochs off the stage and yield each as a record."""
    while state.epochs:
        row = state.epochs.popleft()
        names = timeline.names
        yield {
            "type": "epoch",
            "stage": state.stage.value,
            "epoch": row.epoch,
            "start_ns": row.start_ns - origin_ns,
            "batches": row.batches,
            "events": row.events,
            "tail_ns": {
                name: value for name, value in zip(names, row.tail_ns, strict=False) if value
            },
            "read_bytes": row.reading.read_bytes,
            "disk_read_bytes": row.reading.disk_read_bytes,
            "disk_wait_ns": row.reading.disk_wait_ns,
            "cpu_ns": row.processor.cpu_ns,
            "thread_ns": row.processor.thread_ns,
            "queued_ns": row.processor.queued_ns,
        }


def warning_records(operations: Operations) -> Iterator[WarningJson]:
    """Yield what the report must say of sections and operations, each sentence once."""
    for text in operations.new_notes():
        yield {"type": "warning", "text": text}


class Tallies:
    """Tallies of operations as records, each again only once there were further calls.

    The last record of an operation, a stage and a place holds the totals.
    """

    def __init__(self) -> None:
        """Begin with nothing written."""
        self._written: dict[tuple[str, Stage, Place], tuple[int, bool]] = {}

    def of_operations(
        self, operations: Operations, where: Place, *, with_samples: bool
    ) -> Iterator[OperationJson]:
        """Yield what is new of the timeline's own thread; call times only `with_samples`."""
        for operation in list(operations.values()):
            for stage, tally in list(operation.tallies.items()):
                yield from self._if_new(operation.name, stage, where, tally, with_samples)

    def of_threads(self, threads: ThreadSections, *, with_samples: bool) -> Iterator[OperationJson]:
        """Yield what is new of other threads; call times only `with_samples`."""
        for (name, stage), (tally, exclusive_ns) in list(threads.tallies.items()):
            for record in self._if_new(name, stage, "thread", tally, with_samples):
                yield {**record, "exclusive_ns": exclusive_ns[0]}

    def _if_new(
        self, name: str, stage: Stage, where: Place, tally: CallTally, with_sample: bool
    ) -> Iterator[OperationJson]:
        calls, has_sample = self._written.get((name, stage, where), (0, False))
        now_calls = tally.calls
        if now_calls == calls and (has_sample or not with_sample):
            return
        yield _tally_record(name, stage, where, tally, with_sample)
        # Comes here only when the record could be written.
        self._written[name, stage, where] = (now_calls, with_sample)


def _tally_record(
    name: str, stage: Stage, where: Place, tally: CallTally, with_sample: bool
) -> OperationJson:
    return {
        "type": "operation",
        "name": name,
        "stage": stage.value,
        "where": where,
        "calls": tally.calls,
        "total_ns": tally.total_ns,
        "call_sample_ns": list(tally.sample_ns) if with_sample else [],
    }


def memory_record(samples: Sequence[tuple[int, Stage, MemorySample]]) -> MemoryJson:
    """Return samples as columns; each comes with its instant and the stage that was open."""
    taken = [sample for _, _, sample in samples]
    return {
        "type": "memory",
        "at_ns": [at_ns for at_ns, _, _ in samples],
        "stage": [stage.value for _, stage, _ in samples],
        "main_rss_bytes": [sample.main_rss_bytes for sample in taken],
        "workers_rss_bytes": [sample.workers_rss_bytes for sample in taken],
        "tree_pss_bytes": [sample.tree_pss_bytes for sample in taken],
        "system_memory_percent": [sample.system_memory_percent for sample in taken],
        "accelerator_allocated_bytes": [sample.accelerator_allocated_bytes for sample in taken],
        "accelerator_reserved_bytes": [sample.accelerator_reserved_bytes for sample in taken],
        "accelerator_utilization_percent": [
            sample.accelerator_utilization_percent for sample in taken
        ],
    }
