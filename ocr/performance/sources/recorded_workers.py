"""Records of data-loader workers: their start, and the batches that they made."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ocr.performance.run import WorkerRecord
from ocr.performance.sources.record_shapes import check_format
from ocr.performance.sources.record_values import line_columns, nanoseconds, whole_number
from ocr.performance.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SECONDS = np.float64(1e-9)
_Process = tuple[Stage, int, int]
"""A worker process: its stage, its number in its loader, its process id."""


@dataclass
class _Batches:
    start_s: list[NDArray[np.float64]] = field(default_factory=list)
    end_s: list[NDArray[np.float64]] = field(default_factory=list)
    lines_s: list[dict[str, NDArray[np.float64]]] = field(default_factory=list)


@dataclass
class RecordedWorkers:
    """Worker processes by stage, number and process id."""

    starts: dict[_Process, tuple[float, float]] = field(default_factory=dict)
    batches: dict[_Process, _Batches] = field(default_factory=lambda: defaultdict(_Batches))

    def take(self, record: Mapping[str, Any]) -> None:
        """Take one record in; raise `ValueError` when its columns don't fit together."""
        process = (
            Stage(record["stage"]),
            whole_number(record["worker"]),
            whole_number(record["pid"]),
        )
        if record["type"] == "worker_start":
            check_format(record)
            asked_ns, ready_ns = nanoseconds([record["asked_ns"], record["ready_ns"]])
            if ready_ns < asked_ns:
                raise ValueError("a worker that was ready before it was asked for")
            self.starts[process] = (float(asked_ns * SECONDS), float(ready_ns * SECONDS))
            return
        start_ns, end_ns = nanoseconds(record["start_ns"]), nanoseconds(record["end_ns"])
        lines_ns = line_columns(record["lines_ns"], len(start_ns))
        if end_ns.shape != start_ns.shape:
            raise ValueError("columns of different lengths in a worker's record")
        if (end_ns < start_ns).any():
            raise ValueError("negative time in a worker's record")
        taken = self.batches[process]
        taken.start_s.append(start_ns * SECONDS)
        taken.end_s.append(end_ns * SECONDS)
        taken.lines_s.append({line: column * SECONDS for line, column in lines_ns.items()})

    def line_total_s(self, stage: Stage, line: str) -> float:
        """Return the exclusive time of a line in all workers of a stage."""
        return sum(
            float(lines[line].sum())
            for process, taken in self.batches.items()
            if process[0] is stage
            for lines in taken.lines_s
            if line in lines
        )

    def records(self) -> tuple[WorkerRecord, ...]:
        """Return one record for each worker process."""
        return tuple(self._record(process) for process in sorted(self._processes(), key=_order))

    def _processes(self) -> set[_Process]:
        return set(self.starts) | set(self.batches)

    def _record(self, process: _Process) -> WorkerRecord:
        stage, worker, pid = process
        taken = self.batches.get(process, _Batches())
        lines = sorted({line for lines in taken.lines_s for line in lines})
        asked_s, ready_s = self.starts.get(process, (None, None))
        return WorkerRecord(
            stage=stage,
            worker=worker,
            pid=pid,
            asked_s=asked_s,
            ready_s=ready_s,
            start_s=_joined(taken.start_s),
            end_s=_joined(taken.end_s),
            lines_s={
                line: _joined(
                    [
                        lines.get(line, np.zeros_like(start))
                        for lines, start in zip(taken.lines_s, taken.start_s, strict=True)
                    ]
                )
                for line in lines
            },
        )


def _joined(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate(parts) if parts else np.empty(0)


def _order(process: _Process) -> tuple[str, int, int]:
    stage, worker, pid = process
    return stage.value, worker, pid
