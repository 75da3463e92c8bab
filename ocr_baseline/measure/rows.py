"""Finished rows as records: columns of many rows in one JSON object, integers of nanoseconds."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from ocr_baseline.measure.batches import BATCH_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ocr_baseline.measure.batches import StageState
    from ocr_baseline.measure.operations import CallTally, Operations
    from ocr_baseline.measure.timeline import Timeline
    from ocr_baseline.vocabulary import Stage

ROWS_A_RECORD = 1000

Record = dict[str, Any]
"""A record on its way to JSON; its shape is given by its `type` (docs/records.md)."""


def batch_records(state: StageState, timeline: Timeline, origin_ns: int) -> Iterator[Record]:
    """Take the finished batches off the stage and yield them as columns."""
    while state.rows:
        count = min(len(state.rows), ROWS_A_RECORD)
        columns = list(zip_longest(*(state.rows.popleft() for _ in range(count)), fillvalue=0))
        fixed = dict(zip(BATCH_COLUMNS, columns, strict=False))
        yield {
            "type": "batches",
            "stage": state.stage.value,
            **{name: list(column) for name, column in fixed.items()},
            "start_ns": [start_ns - origin_ns for start_ns in fixed["start_ns"]],
            "lines_ns": _by_line(columns[len(BATCH_COLUMNS) :], timeline.names),
        }


def line_columns(cells_ns: Sequence[list[int]], names: Sequence[str]) -> dict[str, list[int]]:
    """Turn rows of cells into a column for each line that any row has time in.

    A row is as long as there were lines when it was taken, or longer by cells that no line has
    yet; `names` must be read after that.
    """
    return _by_line(zip_longest(*cells_ns, fillvalue=0), names)


def _by_line(columns: Iterable[Sequence[int]], names: Sequence[str]) -> dict[str, list[int]]:
    return {name: list(column) for name, column in zip(names, columns, strict=False) if any(column)}


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
