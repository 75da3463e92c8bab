"""Columns of record files turned into tables: batches, memory samples, operations."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ocr.performance.run import BatchTable, MemorySamples, OperationRecord
from ocr.performance.sources.record_values import (
    integers,
    line_columns,
    nanoseconds,
    readings,
    readings_column,
    text,
    whole_number,
)
from ocr.performance.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

SECONDS = np.float64(1e-9)
_SINGLE = np.dtype(np.float32)
_ID_COLUMNS = ("epoch", "batch_idx", "dataloader_idx")
_NUMBER_COLUMNS = ("start_s", "duration_s", "samples")
_PLACES = ("main", "thread", "worker")


class _GrowingTable:
    """The columns of one stage, each in one block that grows: a long run is in memory once."""

    def __init__(self) -> None:
        self.length = 0
        self.ids = {name: array("q") for name in _ID_COLUMNS}
        self.numbers = {name: array("d") for name in _NUMBER_COLUMNS}
        self.lines_s: dict[str, array[float]] = {}

    def extend(
        self,
        ids: Mapping[str, NDArray[np.int64]],
        numbers: Mapping[str, NDArray[np.float64]],
        lines_s: Mapping[str, NDArray[np.float32]],
    ) -> None:
        """Add rows; a line that comes or goes is zero where it is not."""
        rows = len(numbers["start_s"])
        for name, ids_column in ids.items():
            self.ids[name].frombytes(ids_column.tobytes())
        for name, numbers_column in numbers.items():
            self.numbers[name].frombytes(numbers_column.tobytes())
        for line in lines_s:
            if line not in self.lines_s:
                self.lines_s[line] = array("f", bytes(self.length * _SINGLE.itemsize))
        absent = bytes(rows * _SINGLE.itemsize)
        for line, column in self.lines_s.items():
            column.frombytes(lines_s[line].tobytes() if line in lines_s else absent)
        self.length += rows

    def table(self) -> BatchTable:
        """Return the rows, without a copy."""
        return BatchTable(
            **{name: np.asarray(column) for name, column in self.ids.items()},
            **{name: np.asarray(column) for name, column in self.numbers.items()},
            lines_s={line: np.asarray(self.lines_s[line]) for line in sorted(self.lines_s)},
        )


@dataclass
class RecordedBatches:
    """Batch rows by stage, in the order of the file."""

    _rows: dict[Stage, _GrowingTable] = field(default_factory=lambda: defaultdict(_GrowingTable))

    def take(self, record: Mapping[str, Any]) -> None:
        """Take the columns of one record in; raise `ValueError` when they don't fit together."""
        start_ns = nanoseconds(record["start_ns"])
        lines_ns = line_columns(record["lines_ns"], len(start_ns))
        ids = {name: integers(record[name]) for name in _ID_COLUMNS}
        samples = readings_column(record["samples"])
        if any(column.shape != start_ns.shape for column in [*ids.values(), samples]):
            raise ValueError("columns of different lengths in a batches record")
        duration_ns = sum(lines_ns.values(), np.zeros_like(start_ns))
        self._rows[Stage(record["stage"])].extend(
            ids,
            {
                "start_s": start_ns * SECONDS,
                "duration_s": duration_ns * SECONDS,
                "samples": samples,
            },
            {line: (column * SECONDS).astype(_SINGLE) for line, column in lines_ns.items()},
        )

    def table(self, stage: Stage) -> BatchTable | None:
        """Return the stage's batches, None when there are none; no more can be taken in then."""
        return self._rows[stage].table() if stage in self._rows else None


_MEMORY_COLUMNS = ("at_ns", "main_rss_bytes", "workers_rss_bytes", "system_memory_percent")
_RARE_MEMORY_COLUMNS = (
    "tree_pss_bytes",
    "accelerator_allocated_bytes",
    "accelerator_reserved_bytes",
)


@dataclass
class RecordedMemory:
    """Memory samples, in the order of the file."""

    columns: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    stages: list[str] = field(default_factory=list)

    def take(self, record: Mapping[str, Any]) -> None:
        """Take the columns of one record in; raise `ValueError` when they don't fit together."""
        taken = {name: readings(record[name]) for name in _MEMORY_COLUMNS}
        count = len(taken["at_ns"])
        absent: list[float | None] = [None] * count
        taken |= {name: readings(record.get(name, absent)) for name in _RARE_MEMORY_COLUMNS}
        stages = [Stage(name).value for name in record["stage"]]
        lengths = {len(stages), *(len(column) for column in taken.values())}
        if lengths != {count}:
            raise ValueError("columns of different lengths in a memory record")
        self.stages.extend(stages)
        for name, column in taken.items():
            self.columns[name].extend(column)

    def samples(self, accelerator: Mapping[str, Any] | None) -> MemorySamples | None:
        """Return the samples, None when nothing was sampled."""
        if not self.columns["at_ns"] and not accelerator:
            return None
        columns = {
            name: np.asarray(self.columns[name], dtype=np.float64)
            for name in (*_MEMORY_COLUMNS, *_RARE_MEMORY_COLUMNS)
        }
        peaks = accelerator or {}
        return MemorySamples(
            at_s=columns["at_ns"] * SECONDS,
            tree_rss_bytes=columns["main_rss_bytes"] + columns["workers_rss_bytes"],
            main_rss_bytes=columns["main_rss_bytes"],
            workers_rss_bytes=columns["workers_rss_bytes"],
            system_memory_percent=columns["system_memory_percent"],
            tree_pss_bytes=_any_read(columns["tree_pss_bytes"]),
            accelerator_allocated_bytes=_any_read(columns["accelerator_allocated_bytes"]),
            accelerator_reserved_bytes=_any_read(columns["accelerator_reserved_bytes"]),
            stages=tuple(self.stages),
            accelerator_allocated_peak_bytes=peaks.get("allocated_peak_bytes"),
            accelerator_reserved_peak_bytes=peaks.get("reserved_peak_bytes"),
            accelerator_total_bytes=peaks.get("total_bytes"),
            accelerator_alloc_retries=peaks.get("alloc_retries"),
            accelerator_ooms=peaks.get("ooms"),
        )


def _any_read(values: NDArray[np.float64]) -> NDArray[np.float64] | None:
    return values if np.isfinite(values).any() else None


@dataclass
class RecordedOperations:
    """Tallies of operations: those of the main process' threads and of each worker process.

    A tally counts from its process' start, so the last record of each replaces those before it.
    """

    tallies: dict[tuple[str, Stage, str, int], Mapping[str, Any]] = field(default_factory=dict)
    sampled: dict[tuple[str, Stage, str, int], list[int]] = field(default_factory=dict)

    def take(self, record: Mapping[str, Any]) -> None:
        """Take one record in."""
        key = (
            text(record["name"]),
            Stage(record["stage"]),
            text(record["where"]),
            whole_number(record.get("pid", 0)),
        )
        if key[2] not in _PLACES:
            raise ValueError(f"{key[2]!r} is no place of an operation")
        exclusive_ns = record["exclusive_ns"] if key[2] == "thread" else 0
        for value in (record["calls"], record["total_ns"], exclusive_ns):
            whole_number(value)
        sample_ns = nanoseconds(record["call_sample_ns"]).tolist()
        self.tallies[key] = record
        if sample_ns:
            self.sampled[key] = sample_ns

    def records(
        self, exclusive_s: Callable[[str, Stage, str], float]
    ) -> tuple[OperationRecord, ...]:
        """Return one record for each operation, stage and kind of place.

        Args:
            exclusive_s: Gives the exclusive time of an operation, a stage and a place ("main" or
                "worker"); threads bring their own.
        """
        grouped: dict[tuple[str, Stage, str], list[int]] = defaultdict(list)
        for name, stage, where, pid in self.tallies:
            grouped[name, stage, where].append(pid)
        return tuple(
            self._record(name, stage, where, pids, exclusive_s)
            for (name, stage, where), pids in grouped.items()
        )

    def _record(
        self,
        name: str,
        stage: Stage,
        where: str,
        pids: list[int],
        exclusive_s: Callable[[str, Stage, str], float],
    ) -> OperationRecord:
        tallies = [self.tallies[name, stage, where, pid] for pid in pids]
        sample_ns = [
            value for pid in pids for value in self.sampled.get((name, stage, where, pid), ())
        ]
        return OperationRecord(
            name=name,
            stage=stage,
            process="worker" if where == "worker" else "main",
            calls=sum(tally["calls"] for tally in tallies),
            total_s=sum(tally["total_ns"] for tally in tallies) * SECONDS,
            exclusive_s=(
                sum(tally["exclusive_ns"] for tally in tallies) * SECONDS
                if where == "thread"
                else exclusive_s(name, stage, where)
            ),
            in_main_thread=where == "main",
            call_time_s=np.asarray(sample_ns, dtype=np.float64) * SECONDS if sample_ns else None,
        )
