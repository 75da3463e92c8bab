"""Records of data-loader workers: their start, and the batches that they made."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ocr_baseline.model.run import WorkerRecord
from ocr_baseline.records.checks import (
    check_format,
    line_columns,
    nanoseconds,
    readings_column,
    whole_number,
)
from ocr_baseline.records.columns import GrowingColumns, seconds
from ocr_baseline.records.format import MAX_PREFETCH_FACTOR, MAX_THREADS, MAX_WORKERS
from ocr_baseline.vocabulary import SECONDS_PER_NS, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_Process = tuple[Stage, int, int]
"""A worker process: its stage, its number in its loader, its process id."""


class _Start(NamedTuple):
    asked_s: float | None
    ready_s: float | None
    prefetch_factor: int | None


_UNKNOWN_START = _Start(None, None, None)


class _Batches:
    """The columns of the batches that one process made."""

    def __init__(self) -> None:
        self.moments_s = GrowingColumns(np.float64)
        self.lines_s = GrowingColumns(np.float64)
        self.read_bytes = GrowingColumns(np.float64)
        self.torch_threads: int | None = None

    def known_s(self, name: str) -> NDArray[np.float64] | None:
        """Return a column of times that not every recorder tells, None where a batch has none."""
        return _known(self.moments_s.column(name))

    def known_bytes(self, name: str) -> NDArray[np.float64] | None:
        """Return a column of bytes read, None where a batch has none."""
        return _known(self.read_bytes.column(name))


@dataclass
class RecordedWorkers:
    """Worker processes by stage, number and process id."""

    starts: dict[_Process, _Start] = field(default_factory=dict)
    batches: dict[_Process, _Batches] = field(default_factory=lambda: defaultdict(_Batches))

    def take_start(self, record: Mapping[str, Any]) -> None:
        """Take the start of a worker; raise `ValueError` when it can't be one."""
        process = _process(record)
        check_format(record)
        asked_ns, ready_ns = nanoseconds([record["asked_ns"], record["ready_ns"]])
        if ready_ns < asked_ns:
            raise ValueError("a worker that was ready before it was asked for")
        self.starts[process] = _Start(
            float(asked_ns * SECONDS_PER_NS),
            float(ready_ns * SECONDS_PER_NS),
            _prefetch_factor(record.get("prefetch_factor")),
        )

    def take_batches(self, record: Mapping[str, Any]) -> None:
        """Take the batches of a worker; raise `ValueError` when columns don't fit together."""
        process = _process(record)
        start_ns, end_ns = nanoseconds(record["start_ns"]), nanoseconds(record["end_ns"])
        lines_ns = line_columns(record["lines_ns"], len(start_ns))
        if end_ns.shape != start_ns.shape:
            raise ValueError("columns of different lengths in a worker's record")
        if (end_ns < start_ns).any():
            raise ValueError("negative time in a worker's record")
        rows = len(start_ns)
        moments_s = {"start": seconds(start_ns), "end": seconds(end_ns)}
        for name in ("cpu", "queued", "disk_wait"):
            moments_s[name] = _times_s(record.get(f"{name}_ns"), rows)
        read_bytes = {
            name: _amounts(record.get(name), rows) for name in ("read_bytes", "disk_read_bytes")
        }
        threads = _torch_threads(record.get("torch_threads"))
        taken = self.batches[process]
        taken.torch_threads = threads
        taken.moments_s.extend(moments_s, rows)
        taken.read_bytes.extend(read_bytes, rows)
        taken.lines_s.extend({line: seconds(column) for line, column in lines_ns.items()}, rows)

    def line_total_s(self, stage: Stage, line: str) -> float:
        """Return the exclusive time of a line in all workers of a stage."""
        return sum(
            float(taken.lines_s.column(line).sum())
            for process, taken in self.batches.items()
            if process[0] is stage
        )

    def records(self) -> tuple[WorkerRecord, ...]:
        """Return one record for each worker process and stage that it made batches for."""
        ahead = {pid: start.prefetch_factor for (_, _, pid), start in self.starts.items()}
        return tuple(
            self._record(process, ahead.get(process[2]))
            for process in sorted(self._processes(), key=_order)
        )

    def _processes(self) -> set[_Process]:
        return set(self.starts) | set(self.batches)

    def _record(self, process: _Process, prefetch_factor: int | None) -> WorkerRecord:
        stage, worker, pid = process
        taken = self.batches.get(process, _Batches())
        start = self.starts.get(process, _UNKNOWN_START)
        return WorkerRecord(
            stage=stage,
            worker=worker,
            pid=pid,
            asked_s=start.asked_s,
            ready_s=start.ready_s,
            start_s=taken.moments_s.column("start"),
            end_s=taken.moments_s.column("end"),
            lines_s=taken.lines_s.columns(),
            prefetch_factor=prefetch_factor,
            cpu_s=taken.known_s("cpu"),
            queued_s=taken.known_s("queued"),
            read_bytes=taken.known_bytes("read_bytes"),
            disk_bytes=taken.known_bytes("disk_read_bytes"),
            disk_wait_s=taken.known_s("disk_wait"),
            torch_threads=taken.torch_threads,
        )


def _process(record: Mapping[str, Any]) -> _Process:
    return (
        Stage(record["stage"]),
        _below(MAX_WORKERS, record["worker"]),
        whole_number(record["pid"]),
    )


def _prefetch_factor(value: Any) -> int | None:
    if value is None:
        return None
    if value == 0:
        raise ValueError("a loader that asks for no batch")
    return _below(MAX_PREFETCH_FACTOR, value)


def _times_s(values: Any, rows: int) -> NDArray[np.float64]:
    """Return a column that may be absent, and null row by row: not a number where it is."""
    if values is None:
        return np.full(rows, np.nan)
    is_known = np.asarray([value is not None for value in values], dtype=bool)
    if len(is_known) != rows:
        raise ValueError("columns of different lengths in a worker's record")
    times_s = seconds(nanoseconds([0 if value is None else value for value in values]))
    return np.where(is_known, times_s, np.nan)


def _amounts(values: Any, rows: int) -> NDArray[np.float64]:
    """Return a column of bytes that may be absent, and null row by row."""
    if values is None:
        return np.full(rows, np.nan)
    column = readings_column(values)
    if len(column) != rows:
        raise ValueError("columns of different lengths in a worker's record")
    return column


def _known(column: NDArray[np.float64]) -> NDArray[np.float64] | None:
    return None if np.isnan(column).any() else column


def _torch_threads(value: Any) -> int | None:
    return None if value is None else _below(MAX_THREADS, value)


def _below(limit: int, value: Any) -> int:
    if whole_number(value) >= limit:
        raise ValueError(f"{value!r} is more than a loader can have")
    return int(value)


def _order(process: _Process) -> tuple[str, int, int]:
    stage, worker, pid = process
    return stage.value, worker, pid
