"""Records as tables: columns that grow as records are taken in, and tallies of operations."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from ocr_baseline.model.run import BatchTable, DeviceBatches, MemorySamples, OperationRecord
from ocr_baseline.records import checks
from ocr_baseline.records.format import Place
from ocr_baseline.vocabulary import SECONDS_PER_NS, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from ocr_baseline.records.format import AcceleratorPeaksJson, OperationJson

Number = TypeVar("Number", bound=np.generic)


def seconds(column_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return nanoseconds as seconds, shape (values,)."""
    return np.multiply(column_ns, SECONDS_PER_NS, dtype=np.float64)


class GrowingColumns(Generic[Number]):
    """Columns by name, all of one type and length, each in one block that grows at its end."""

    def __init__(self, dtype: type[Number]) -> None:
        """Begin with no columns and no rows."""
        self._dtype = np.dtype(dtype)
        self._columns: dict[str, array[Any]] = {}
        self.rows = 0

    def extend(self, columns: Mapping[str, NDArray[Number]], rows: int) -> None:
        """Add that many rows; a column is zero in the rows for which it is not given."""
        for name in columns.keys() - self._columns.keys():
            self._columns[name] = array(self._dtype.char, self._zeros(self.rows))
        absent = self._zeros(rows)
        for name, grown in self._columns.items():
            grown.frombytes(columns[name].tobytes() if name in columns else absent)
        self.rows += rows

    def column(self, name: str) -> NDArray[Number]:
        """Return a column without a copy, of no rows where nothing was given; growing ends here."""
        return np.asarray(self._columns.get(name, ()), dtype=self._dtype)

    def columns(self) -> dict[str, NDArray[Number]]:
        """Return all columns, by name in alphabetical order, without a copy; growing ends here."""
        return {name: self.column(name) for name in sorted(self._columns)}

    def _zeros(self, rows: int) -> bytes:
        return bytes(rows * self._dtype.itemsize)


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
        columns = checks.batches(record)
        rows = len(columns.start_ns)
        duration_ns = sum(columns.lines_ns.values(), np.zeros_like(columns.start_ns))
        taken = self._stages[columns.stage]
        taken.ids.extend(
            {
                "epoch": columns.epoch,
                "batch_idx": columns.batch_idx,
                "dataloader_idx": columns.dataloader_idx,
            },
            rows,
        )
        taken.numbers.extend(
            {
                "start_s": seconds(columns.start_ns),
                "duration_s": seconds(duration_ns),
                "samples": columns.samples,
            },
            rows,
        )
        taken.lines_s.extend(
            {line: seconds(column).astype(np.float32) for line, column in columns.lines_ns.items()},
            rows,
        )

    def counts(self) -> dict[Stage, int]:
        """Return how many batches there are of each stage so far."""
        return {stage: taken.ids.rows for stage, taken in self._stages.items()}

    def table(self, stage: Stage) -> BatchTable | None:
        """Return the stage's batches, None when there are none; no more can be taken in then."""
        return self._stages[stage].table() if stage in self._stages else None

    def line_total_s(self, stage: Stage, line: str) -> float:
        """Return the time of a line in all batches of a stage; no more can be taken in then."""
        if stage not in self._stages:
            return 0.0
        return float(self._stages[stage].lines_s.column(line).sum(dtype=np.float64))


@dataclass
class RecordedDevice:
    """Device batches by stage, in the order of the file."""

    rows: dict[Stage, list[tuple[int, bool, dict[str, int]]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    clock: str = ""
    batches_before: Mapping[Stage, int] = field(default_factory=dict)

    def take(self, record: Mapping[str, Any]) -> None:
        """Take one record in; raise `ValueError` where it holds anything but times."""
        columns = checks.line_columns(
            {name: [value] for name, value in record["lines_ns"].items()}, 1
        )
        lines_ns = {line: int(column[0]) for line, column in columns.items()}
        stage = Stage(record["stage"])
        position = checks.count(record["position"]) + self.batches_before.get(stage, 0)
        self.rows[stage].append((position, bool(record["is_first_of_epoch"]), lines_ns))
        self.clock = str(record["clock"])

    def batches(self, stage: Stage) -> DeviceBatches | None:
        """Return the stage's batches, None when none was timed."""
        rows = self.rows.get(stage)
        if not rows:
            return None
        lines = sorted({line for _, _, lines_ns in rows for line in lines_ns})
        return DeviceBatches(
            clock=self.clock,
            position=np.asarray([position for position, _, _ in rows], dtype=np.int64),
            is_first_of_epoch=np.asarray([is_first for _, is_first, _ in rows], dtype=np.bool_),
            lines_s={
                line: seconds(np.asarray([lines_ns.get(line, 0) for _, _, lines_ns in rows]))
                for line in lines
            },
        )


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
        taken = {name: checks.readings(record[name]) for name in _MEMORY_COLUMNS}
        count = len(taken["at_ns"])
        absent: list[float | None] = [None] * count
        taken |= {name: checks.readings(record.get(name, absent)) for name in _RARE_MEMORY_COLUMNS}
        stages = [Stage(name).value for name in record["stage"]]
        lengths = {len(stages), *(len(column) for column in taken.values())}
        if lengths != {count}:
            raise ValueError("columns of different lengths in a memory record")
        self.stages.extend(stages)
        for name, column in taken.items():
            self.columns[name].extend(column)

    def samples(
        self, accelerator: AcceleratorPeaksJson | None, stage_peaks: Mapping[str, int] | None
    ) -> MemorySamples | None:
        """Return the samples with the allocator's own peaks, None when nothing was sampled."""
        if not self.columns["at_ns"] and not accelerator:
            return None
        columns = {
            name: np.asarray(self.columns[name], dtype=np.float64)
            for name in (*_MEMORY_COLUMNS, *_RARE_MEMORY_COLUMNS)
        }
        peaks = accelerator or {}
        return MemorySamples(
            at_s=columns["at_ns"] * SECONDS_PER_NS,
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
            accelerator_stage_peak_bytes=stage_peaks or {},
            accelerator_total_bytes=peaks.get("total_bytes"),
            accelerator_alloc_retries=peaks.get("alloc_retries"),
            accelerator_ooms=peaks.get("ooms"),
        )


def _any_read(values: NDArray[np.float64]) -> NDArray[np.float64] | None:
    return values if np.isfinite(values).any() else None


_Tally = tuple[str, Stage, Place, int]
"""Whose calls a tally counts: operation, stage, place, process.

The process is a worker's process id; of those that recorded the run one after another, how many
came before.
"""


@dataclass
class RecordedOperations:
    """Tallies of operations: those of the main process's threads and of each worker process.

    A tally counts from the start of its process, so the last record of each replaces the others.
    """

    tallies: dict[_Tally, OperationJson] = field(default_factory=dict)
    sampled: dict[_Tally, list[int]] = field(default_factory=dict)
    earlier_processes: int = 0

    def take(self, record: Mapping[str, Any]) -> None:
        """Take one record in."""
        tally = checks.operation(record)
        process = tally.get("pid", self.earlier_processes)
        key = (tally["name"], Stage(tally["stage"]), tally["where"], process)
        self.tallies[key] = tally
        if tally["call_sample_ns"]:
            self.sampled[key] = tally["call_sample_ns"]

    def names(self) -> set[str]:
        """Return the operations that were called."""
        return {name for (name, *_), tally in self.tallies.items() if tally["calls"]}

    def records(
        self, exclusive_s: Callable[[str, Stage, str], float]
    ) -> tuple[OperationRecord, ...]:
        """Return one record for each operation, stage and kind of place.

        Args:
            exclusive_s: Gives the exclusive time of an operation, a stage and a place ("main" or
                "worker"); threads bring their own.
        """
        grouped: dict[tuple[str, Stage, Place], list[int]] = defaultdict(list)
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
        where: Place,
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
            total_s=sum(tally["total_ns"] for tally in tallies) * SECONDS_PER_NS,
            exclusive_s=(
                sum(tally["exclusive_ns"] for tally in tallies) * SECONDS_PER_NS
                if where == "thread"
                else exclusive_s(name, stage, where)
            ),
            in_main_thread=where == "main",
            call_time_s=np.asarray(sample_ns, dtype=np.float64) * SECONDS_PER_NS
            if sample_ns
            else None,
        )
