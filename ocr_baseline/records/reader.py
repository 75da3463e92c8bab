"""The recorder's own files: the richest source, readable after any end of a run."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from ocr_baseline.errors import SourceError
from ocr_baseline.layout import MAIN_RECORDS_NAME, RECORDS_FOLDER, records_in
from ocr_baseline.model.run import (
    EpochRecord,
    MeasurementRecord,
    Missing,
    Run,
    RunInfo,
    StageRecord,
)
from ocr_baseline.records.columns import (
    RecordedBatches,
    RecordedMemory,
    RecordedOperations,
)
from ocr_baseline.records.device import RecordedDevice
from ocr_baseline.records.lines import record_lines
from ocr_baseline.records.ranks import load_ranks
from ocr_baseline.records.shapes import check_epoch, check_header, check_status
from ocr_baseline.records.values import count
from ocr_baseline.records.workers import RecordedWorkers
from ocr_baseline.vocabulary import OPERATION_LINE_PREFIX, REPORTED_STAGES, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SECONDS = 1e-9
_MALFORMED = (KeyError, TypeError, ValueError, OverflowError, AttributeError)
"""What a record of the right type but the wrong content raises while it is taken in."""


def load(folder: Path) -> Run:
    """Read the records of a run from its folder, or from a folder around it.

    Lines that are cut off or damaged are passed over and counted.

    Raises:
        SourceError: When there are no records, they can't be read, or their format is newer.
    """
    path = find_records(folder) / MAIN_RECORDS_NAME
    reading = _Reading()
    for record in record_lines(path):
        reading.take(record)
    if not reading.headers:
        raise SourceError(
            f"{path} holds no readable header; if the run has only just begun, try again later"
        )
    for worker_path in sorted(path.parent.glob("rank_0_worker_*.jsonl")):
        for record in record_lines(worker_path):
            reading.take(record)
    run = reading.run()
    return replace(run, ranks=load_ranks(path.parent)) if run.world_size > 1 else run


def find_records(folder: Path) -> Path:
    """Return the folder that holds `rank_0.jsonl`: this one, or one that a run makes inside it.

    Raises:
        SourceError: When there is none.
    """
    found = records_in(folder)
    if found is not None:
        return found
    raise SourceError(
        f"{folder} holds no records of a run (no rank_0.jsonl in it, in {RECORDS_FOLDER}/ or in "
        f"baseline/{RECORDS_FOLDER}/); give the run's output folder, or add "
        "callbacks=baseline_report to the training that makes it"
    )


@dataclass
class _Reading:
    """What the records said so far."""

    headers: list[Mapping[str, Any]] = field(default_factory=list)
    batches: RecordedBatches = field(default_factory=RecordedBatches)
    epochs: dict[Stage, list[Mapping[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    operations: RecordedOperations = field(default_factory=RecordedOperations)
    memory: RecordedMemory = field(default_factory=RecordedMemory)
    workers: RecordedWorkers = field(default_factory=RecordedWorkers)
    device: RecordedDevice = field(default_factory=RecordedDevice)
    status: Mapping[str, Any] = field(default_factory=dict)
    lost_records: int = 0
    removed_batches: int = 0

    def take(self, record: Mapping[str, Any] | None) -> None:
        """Take a record in; one of unknown type is ignored, a malformed one is counted."""
        if record is None:
            self.lost_records += 1
            return
        try:
            self._take(record)
        except _MALFORMED:
            self.lost_records += 1

    def _take(self, record: Mapping[str, Any]) -> None:
        kind = record.get("type")
        if kind == "header":
            check_header(record)
            self.headers.append(record)
        elif kind == "batches":
            self.batches.take(record)
        elif kind == "epoch":
            check_epoch(record)
            self.epochs[Stage(record["stage"])].append(record)
        elif kind == "operation":
            self.operations.take(record)
        elif kind == "memory":
            self.memory.take(record)
        elif kind in {"worker_start", "worker_batches"}:
            self.workers.take(record)
        elif kind == "device_batch":
            self.device.take(record)
        elif kind == "status":
            check_status(record)
            self.status = record
        elif kind == "removed":
            self.removed_batches = count(record["batches"])

    def run(self) -> Run:
        """Put the run together."""
        stages = tuple(
            record for stage in REPORTED_STAGES if (record := self._stage(stage)) is not None
        )
        return Run(
            info=self._info(stages),
            stages=stages,
            operations=self.operations.records(self._exclusive_s),
            memory=self.memory.samples(self.status.get("memory")),
            workers=self.workers.records(),
            measurement=self._measurement(),
            config=self._latest("config"),
            config_hash=self._latest("config_hash"),
            environment_identity=self._environment("identity"),
            environment_volatile=self._environment("volatile") | self.status.get("volatile", {}),
            missing=self._missing(),
            world_size=self._latest("world_size") or 1,
        )

    def _stage(self, stage: Stage) -> StageRecord | None:
        table = self.batches.table(stage)
        epochs = self.epochs.get(stage, [])
        if table is None and not epochs:
            return None
        return StageRecord(
            stage=stage,
            batches=table,
            epochs=tuple(self._epoch(record) for record in epochs),
            device=self.device.batches(stage),
        )

    def _epoch(self, record: Mapping[str, Any]) -> EpochRecord:
        return EpochRecord(
            epoch=record["epoch"],
            started_s=record["start_ns"] * SECONDS,
            batches=record["batches"],
            events=record["events"],
            tail_s={line: value * SECONDS for line, value in record["tail_ns"].items()},
        )

    def _exclusive_s(self, name: str, stage: Stage, where: str) -> float:
        line = OPERATION_LINE_PREFIX + name
        if where == "worker":
            return self.workers.line_total_s(stage, line)
        table = self.batches.table(stage)
        column = None if table is None else table.lines_s.get(line)
        tails = sum(record["tail_ns"].get(line, 0) for record in self.epochs.get(stage, []))
        in_batches = 0.0 if column is None else float(column.sum(dtype=np.float64))
        return in_batches + float(tails) * SECONDS

    def _info(self, stages: tuple[StageRecord, ...]) -> RunInfo:
        who = self._latest("run") or {}
        started = self.headers[0].get("written_at")
        return RunInfo(
            source="recorder",
            status=self.status.get("status", "unknown"),
            ended_by=self.status.get("ended_by"),
            id=who.get("id"),
            name=who.get("name"),
            project=who.get("project"),
            entity=who.get("entity"),
            url=who.get("url"),
            started_at=datetime.fromisoformat(started) if isinstance(started, str) else None,
            duration_s=self._duration_s(stages),
        )

    def _duration_s(self, stages: tuple[StageRecord, ...]) -> float | None:
        if self.status.get("at_ns") is not None:
            return float(self.status["at_ns"]) * SECONDS
        ends = [
            float(stage.batches.start_s[-1] + stage.batches.duration_s[-1])
            for stage in stages
            if stage.batches is not None and len(stage.batches.start_s)
        ]
        return max(ends, default=None)

    def _measurement(self) -> MeasurementRecord:
        sanity = self.batches.table(Stage.SANITY_CHECK)
        event_cost_ns = self.status.get("event_cost_ns")
        return MeasurementRecord(
            clock=self._latest("clock"),
            event_cost_s=None if event_cost_ns is None else event_cost_ns * SECONDS,
            background_cpu_s=self._status_seconds("background_cpu_ns"),
            sanity_check_s=self._outside_s(Stage.SANITY_CHECK),
            sanity_check_batches=0 if sanity is None else len(sanity.duration_s),
            setup_s=self._outside_s(Stage.SETUP),
            lost_records=self.lost_records,
            warnings=self._warnings(),
        )

    def _warnings(self) -> tuple[str, ...]:
        discarded = self.status.get("discarded_batches", 0)
        causes = {
            "could not be written while the run went on (disk full or not writable)": discarded,
            "were removed from the disk while the run went on": self.removed_batches,
        }
        return tuple(
            f"{batches} batches {cause}: totals and statistics are without them"
            for cause, batches in causes.items()
            if batches
        )

    def _outside_s(self, stage: Stage) -> float | None:
        """Time of a stage that has no phase of its own in the report."""
        epochs = self.epochs.get(stage, [])
        if not epochs:
            return None
        table = self.batches.table(stage)
        tails = float(sum(sum(record["tail_ns"].values()) for record in epochs)) * SECONDS
        return tails + (0.0 if table is None else float(table.duration_s.sum()))

    def _status_seconds(self, key: str) -> float | None:
        value = self.status.get(key)
        return None if value is None else float(value) * SECONDS

    def _latest(self, key: str) -> Any:
        return next((h[key] for h in reversed(self.headers) if h.get(key) is not None), None)

    def _environment(self, part: str) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for header in self.headers:
            merged |= (header.get("environment") or {}).get(part, {})
        return merged

    def _missing(self) -> tuple[Missing, ...]:
        missing = []
        if self.status.get("status", "unknown") == "unknown":
            missing.append(
                Missing(
                    metric="run.status",
                    reason="not_collected",
                    detail="the run is still going, or it ended without a word (killed)",
                )
            )
        if self._latest("include_config") is False:
            missing.append(
                Missing(metric="workload.config", reason="skipped", detail="include_config is off")
            )
        if self._latest("profile_memory") is False:
            missing.append(
                Missing(metric="memory", reason="skipped", detail="profile_memory is off")
            )
        return tuple(missing)
