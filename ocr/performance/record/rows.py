"""Finished rows as records: columns of many rows in one JSON object, integers of nanoseconds."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocr.performance.record.batches import StageState
    from ocr.performance.record.operations import CallTally, Operations
    from ocr.performance.record.timeline import Timeline
    from ocr.performance.stages import Stage

ROWS_A_RECORD = 1000

Record = dict[str, Any]
"""A record on its way to JSON; its shape is given by its `type` (docs/records.md)."""


def batch_records(state: StageState, timeline: Timeline, origin_ns: int) -> Iterator[Record]:
    """Take the finished batches off the stage and yield them as columns."""
    while state.rows:
        taken = [state.rows.popleft() for _ in islice(range(len(state.rows)), ROWS_A_RECORD)]
        yield {
            "type": "batches",
            "stage": state.stage.value,
            "epoch": [row.epoch for row in taken],
            "batch_idx": [row.batch_idx for row in taken],
            "dataloader_idx": [row.dataloader_idx for row in taken],
            "samples": [row.samples for row in taken],
            "start_ns": [row.start_ns - origin_ns for row in taken],
            "lines_ns": line_columns([row.cells_ns for row in taken], timeline.names),
        }


def line_columns(cells_ns: Sequence[list[int]], names: Sequence[str]) -> dict[str, list[int]]:
    """Turn rows of cells into a column for each line that any row has time in.

    A row is as long as there were lines when it was taken, or longer by cells that no line has
    yet; `names` must be read after that.
    """
    width = len(names)
    padded = (
        row if len(row) == width else (row + [0] * (width - len(row)))[:width] for row in cells_ns
    )
    columns = zip(*padded, strict=True)
    return {name: list(column) for name, column in zip(names, columns, strict=True) if any(column)}


def epoch_records(state: StageState, timeline: Timeline, origin_ns: int) -> Iterator[Record]:
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
        }


def operation_records(operations: Operations, *, with_samples: bool) -> Iterator[Record]:
    """Yield the tallies so far; the last record of an operation and stage holds its totals."""
    for operation in list(operations.values()):
        for stage, tally in list(operation.tallies.items()):
            yield tally_record(operation.name, stage, "main", tally, with_sample=with_samples)
    for (name, stage), (tally, exclusive_ns) in list(operations.threads.tallies.items()):
        record = tally_record(name, stage, "thread", tally, with_sample=with_samples)
        yield {**record, "exclusive_ns": exclusive_ns[0]}


def tally_record(
    name: str, stage: Stage, where: str, tally: CallTally, *, with_sample: bool
) -> Record:
    """Return an operation's totals in one stage, with the sampled call times when asked for."""
    return {
        "type": "operation",
        "name": name,
        "stage": stage.value,
        "where": where,
        "calls": tally.calls,
        "total_ns": tally.total_ns,
        "call_sample_ns": list(tally.sample_ns) if with_sample else [],
    }
