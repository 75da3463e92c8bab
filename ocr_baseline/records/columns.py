"""Columns of record files turned into tables: batches, memory samples, operations."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ocr_baseline.model.run import BatchTable, MemorySamples, OperationRecord
from ocr_baseline.records.growing_columns import GrowingColumns
from ocr_baseline.records.values import (
    count,
    counts,
    line_columns,
    nanoseconds,
    readings,
    sample_counts,
    text,
    whole_number,
)
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

SECONDS = np.float64(1e-9)
_ID_COLUMNS = ("epoch", "batch_idx", "dataloader_idx")
_PLACES = ("main", "thread", "worker")


class _StageBatches:
    """The columns of one stage's batches."""

    def __init__(self) -> None:
        self.ids = GrowingColumns(np.int64)
        self.numbers = GrowingColumns(np.float64)
        self.lines_s = GrowingColumns(np.float32)

    def table(self) -> BatchTable:
        return BatchTable(
            epoch=self.ids.column("epoch"),
            batch_idx=self.ids.column("batch_idx"),
            dataloader_idx=self.ids.column("dataloader_idx"),
            start_s=self.numbers.column("start_s"),
            duration_s=self.numbers.column("duration_s"),
            samples=self.numbers.column("samples"),
            lines_s=self.lines_s.columns(),
        )


@dataclass
class RecordedBatches:
    """Batch rows by stage, in the order of the file."""

    _stages: dict[Stage, _StageBatches] = field(default_factory=lambda: defaultdict(_StageBatches))

    def take(self, record: Mapping[str, Any]) -> None:
        """Take the columns of one record in; raise `ValueError` when they don't fit together."""
        start_ns = nanoseconds(record["start_ns"])
        lines_ns = line_columns(record["lines_ns"], len(start_ns))
        ids = {name: counts(record[name]) for name in _ID_COLUMNS}
        samples = sample_counts(record["samples"])
        if any(column.shape != start_ns.shape for column in [*ids.values(), samples]):
            raise ValueError("columns of different lengths in a batches record")
        duration_ns = sum(lines_ns.values(), np.zeros_like(start_ns))
        numbers = {
            "start_s": start_ns * SECONDS,
            "duration_s": duration_ns * SECONDS,
            "samples": samples,
        }
        taken = self._stages[Stage(record["stage"])]
        taken.ids.extend(ids, len(start_ns))
        taken.numbers.extend(numbers, len(start_ns))
        taken.lines_s.extend(
            {line: (column * SECONDS).astype(np.float32) for line, column in lines_ns.items()},
            len(start_ns),
        )

    def table(self, stage: Stage) -> BatchTable | None:
        """Return the stage's batches, None when there are none; no more can be taken in then."""
        return self._stages[stage].table() if stage in self._stages else None


_MEMORY_COLUMNS = ("at_ns", "main_rss_bytes", "workers_rss_bytes", "system_memory_percent")
_RARE_MEMORY_COLUMNS = (
    "tree_pss_bytes",
    "accelerator_allocated_bytes",
    "accelerator_reserved_bytes",
    "accelerator_utilization_percent",
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
            accelerator_utilization_percent=_any_read(columns["accelerator_utilization_percent"]),
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
        count(record["calls"])
        nanoseconds([record["total_ns"], exclusive_ns])
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
