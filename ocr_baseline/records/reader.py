"""The recorder's own files: the richest source, readable after any end of a run."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from ocr_baseline.errors import SourceError
from ocr_baseline.layout import MAIN_RECORDS_NAME, RECORDS_FOLDER, records_in
from ocr_baseline.model.run import (
    EpochRecord,
    MeasurementRecord,
    Missing,
    ReadRecord,
    Run,
    RunInfo,
    StageRecord,
)
from ocr_baseline.records import checks
from ocr_baseline.records.columns import (
    RecordedBatches,
    RecordedDevice,
    RecordedMemory,
    RecordedOperations,
)
from ocr_baseline.records.format import unknown_status
from ocr_baseline.records.garbage import RecordedGarbage
from ocr_baseline.records.lines import take_records
from ocr_baseline.records.probes import RecordedProbes
from ocr_baseline.records.ranks import load_ranks
from ocr_baseline.records.slowest import RecordedSlowest
from ocr_baseline.records.stacks import RecordedStacks
from ocr_baseline.records.start import RecordedStart
from ocr_baseline.records.unnamed_lines import unnamed_lines
from ocr_baseline.records.workers import RecordedWorkers
from ocr_baseline.vocabulary import OPERATION_LINE_PREFIX, REPORTED_STAGES, SECONDS_PER_NS, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ocr_baseline.records.format import EpochJson, HeaderJson, StatusJson


MOST_WARNINGS = 100
"""Sentences of the recorder's that a report says; more is damage."""


def load(folder: Path) -> Run:
    """Read the records of a run from its folder, or from a folder around it.

    Lines that are cut off or damaged are passed over and counted.

    Raises:
        SourceError: When there are no records, they can't be read, or their format is newer.
    """
    path = find_records(folder) / MAIN_RECORDS_NAME
    reading = _reading_of(path)
    for worker_path in sorted(path.parent.glob("rank_0_worker_*.jsonl")):
        reading.take_worker_file(worker_path)
    if reading.world_size == 1:
        return reading.run()
    ranks = load_ranks(path.parent, reading.note_unread)
    return replace(reading.run(), ranks=ranks)


def load_rank(path: Path) -> Run:
    """Read what one rank wrote into its own file, without its workers and without other ranks.

    Raises:
        SourceError: When the file can't be read or holds no header, or its format is newer.
    """
    return _reading_of(path).run()


def _reading_of(path: Path) -> _Reading:
    reading = _Reading()
    reading.take_file(path)
    if not reading.headers:
        raise SourceError(
            f"{path} holds no readable header; if the run has only just begun, try again later"
        )
    return reading


def was_begun_since(folder: Path, instant: datetime) -> bool:
    """Whether any process began to record in a folder since then; true where nothing tells.

    Raises:
        SourceError: When there are no records, they can't be read, or their format is newer.
    """
    begun: list[bool] = []

    def take(record: Mapping[str, Any]) -> None:
        written_at = checks.header(record).get("written_at")
        if written_at is not None:
            begun.append(datetime.fromisoformat(written_at) >= instant)

    take_records(find_records(folder) / MAIN_RECORDS_NAME, {"header": take})
    return any(begun) or not begun


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

    headers: list[HeaderJson] = field(default_factory=list)
    batches: RecordedBatches = field(default_factory=RecordedBatches)
    epochs: dict[Stage, list[EpochJson]] = field(default_factory=lambda: defaultdict(list))
    operations: RecordedOperations = field(default_factory=RecordedOperations)
    memory: RecordedMemory = field(default_factory=RecordedMemory)
    workers: RecordedWorkers = field(default_factory=RecordedWorkers)
    stacks: RecordedStacks = field(default_factory=RecordedStacks)
    slowest: RecordedSlowest = field(default_factory=RecordedSlowest)
    garbage: RecordedGarbage = field(default_factory=RecordedGarbage)
    device: RecordedDevice = field(default_factory=RecordedDevice)
    probes: RecordedProbes = field(default_factory=RecordedProbes)
    status: StatusJson = field(default_factory=unknown_status)
    lost_records: int = 0
    removed_batches: int = 0
    said: dict[str, None] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def take_file(self, path: Path) -> None:
        """Take the records of a file in; those that can't be taken are counted."""
        takers: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "header": self._take_header,
            "batches": self.batches.take,
            "epoch": self._take_epoch,
            "operation": self.operations.take,
            "memory": self.memory.take,
            "worker_start": self.workers.take_start,
            "worker_batches": self.workers.take_batches,
            "slowest": self.slowest.take,
            "stack_functions": self.stacks.take_functions,
            "stack_samples": self.stacks.take_samples,
            "garbage": self.garbage.take,
            "device_batch": self.device.take,
            "profile_window": self.probes.take_window,
            "flops": self.probes.take_flops,
            "not_measured": self.probes.take_not_measured,
            "status": self._take_status,
            "removed": self._take_removed,
            "warning": self._take_warning,
        }
        self.lost_records += take_records(path, takers)

    def take_worker_file(self, path: Path) -> None:
        """Take the records of a worker in; a file that can't be read is noted and passed over."""
        try:
            self.take_file(path)
        except SourceError as error:
            self.note_unread(path, error)

    def note_unread(self, path: Path, error: SourceError) -> None:
        """Keep why a file beside the main one is left out."""
        if len(self.unread) < MOST_WARNINGS:
            self.unread.append(f"{path.name} was left out: {error}")

    @property
    def world_size(self) -> int:
        """The number of ranks that the run had."""
        return max(header.get("world_size") or 1 for header in self.headers)

    def _take_header(self, record: Mapping[str, Any]) -> None:
        header = checks.header(record)
        self.headers.append(header)
        earlier = header.get("earlier_processes", 0)
        if earlier > self.operations.earlier_processes:
            self.operations.earlier_processes = earlier
            self.device.batches_before = self.probes.batches_before = self.batches.counts()

    def _take_epoch(self, record: Mapping[str, Any]) -> None:
        epoch = checks.epoch(record)
        self.epochs[Stage(epoch["stage"])].append(epoch)

    def _take_status(self, record: Mapping[str, Any]) -> None:
        self.status = checks.status(record)

    def _take_removed(self, record: Mapping[str, Any]) -> None:
        self.removed_batches = checks.count(record["batches"])

    def _take_warning(self, record: Mapping[str, Any]) -> None:
        if len(self.said) < MOST_WARNINGS:
            self.said[checks.text(record["text"])] = None

    def run(self) -> Run:
        """Put the run together."""
        header = self._header()
        environment = header.get("environment") or {}
        start = RecordedStart(header.get("start"), self.epochs, self.batches)
        stages = tuple(
            record for stage in REPORTED_STAGES if (record := self._stage(stage)) is not None
        )
        return Run(
            info=self._info(header, stages),
            stages=stages,
            operations=self.operations.records(self._exclusive_s),
            memory=self.memory.samples(self.status.get("memory"), self.status.get("stage_peaks")),
            workers=self.workers.records(),
            slowest=self.slowest.records(),
            stack_samples=self.stacks.samples(),
            start=start.record(),
            garbage=self.garbage.records(),
            profile_window=self.probes.window,
            flops=self.probes.flops,
            measurement=self._measurement(header),
            config=header.get("config"),
            config_hash=header.get("config_hash"),
            environment_identity=environment.get("identity", {}),
            environment_volatile=environment.get("volatile", {})
            | (self.status.get("volatile") or {}),
            missing=(
                *self._missing(header),
                *start.missing(),
                *self.probes.missing(),
                *(unnamed_lines(stages) if header.get("loop") else ()),
            ),
            world_size=self.world_size,
        )

    def _header(self) -> HeaderJson:
        """Return the headers as one: the last value of a key counts, null is none."""
        merged: dict[str, Any] = {}
        environment: dict[str, dict[str, Any]] = defaultdict(dict)
        for header in self.headers:
            merged |= {key: value for key, value in header.items() if value is not None}
            for part, values in (header.get("environment") or {}).items():
                environment[part] |= cast("dict[str, Any]", values)
        return cast("HeaderJson", merged | {"environment": environment})

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
            set_aside=frozenset(self.probes.set_aside.get(stage, ())),
        )

    def _epoch(self, record: EpochJson) -> EpochRecord:
        return EpochRecord(
            epoch=record["epoch"],
            started_s=record["start_ns"] * SECONDS_PER_NS,
            batches=record["batches"],
            events=record["events"],
            tail_s={line: value * SECONDS_PER_NS for line, value in record["tail_ns"].items()},
            reading=ReadRecord(
                read_bytes=record.get("read_bytes"),
                disk_bytes=record.get("disk_read_bytes"),
                disk_wait_s=_seconds(record.get("disk_wait_ns")),
            ),
            cpu_s=_seconds(record.get("cpu_ns")),
            thread_s=_seconds(record.get("thread_ns")),
            queued_s=_seconds(record.get("queued_ns")),
        )

    def _exclusive_s(self, name: str, stage: Stage, where: str) -> float:
        line = OPERATION_LINE_PREFIX + name
        if where == "worker":
            return self.workers.line_total_s(stage, line)
        tails_ns = sum(record["tail_ns"].get(line, 0) for record in self.epochs.get(stage, []))
        return self.batches.line_total_s(stage, line) + float(tails_ns) * SECONDS_PER_NS

    def _info(self, header: HeaderJson, stages: tuple[StageRecord, ...]) -> RunInfo:
        who = header.get("run") or {}
        started = self.headers[0].get("written_at")
        return RunInfo(
            source="recorder",
            status=self.status["status"],
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
        at_s = _seconds(self.status.get("at_ns"))
        if at_s is not None:
            return at_s
        ends = [
            float(stage.batches.start_s[-1] + stage.batches.duration_s[-1])
            for stage in stages
            if stage.batches is not None and len(stage.batches.start_s)
        ]
        return max(ends, default=None)

    def _measurement(self, header: HeaderJson) -> MeasurementRecord:
        sanity = self.batches.table(Stage.SANITY_CHECK)
        return MeasurementRecord(
            clock=header.get("clock"),
            event_cost_s=_seconds(self.status.get("event_cost_ns")),
            background_cpu_s=_seconds(self.status.get("background_cpu_ns")),
            sanity_check_s=self._outside_s(Stage.SANITY_CHECK),
            sanity_check_batches=0 if sanity is None else len(sanity.duration_s),
            setup_s=self._outside_s(Stage.SETUP),
            lost_records=self.lost_records,
            warnings=(
                *self._warnings(),
                *self.unread,
                *self.said,
                *self._never_called(header),
            ),
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

    def _never_called(self, header: HeaderJson) -> tuple[str, ...]:
        """Tell of named operations without a call."""
        called = self.operations.names()
        return tuple(
            f"Operation {name} was named in `operations`, and was never called in this run."
            for name in header.get("operations", [])
            if name not in called
        )

    def _outside_s(self, stage: Stage) -> float | None:
        """Time of a stage that has no phase of its own in the report."""
        epochs = self.epochs.get(stage, [])
        if not epochs:
            return None
        table = self.batches.table(stage)
        tails = float(sum(sum(record["tail_ns"].values()) for record in epochs)) * SECONDS_PER_NS
        return tails + (0.0 if table is None else float(table.duration_s.sum()))

    def _missing(self, header: HeaderJson) -> tuple[Missing, ...]:
        missing = []
        if self.status["status"] == "unknown":
            missing.append(
                Missing(
                    metric="run.status",
                    reason="not_collected",
                    detail="the run is still going, or it ended without a word (killed)",
                )
            )
        if header.get("include_config") is False:
            missing.append(
                Missing(metric="workload.config", reason="skipped", detail="include_config is off")
            )
        if header.get("profile_memory") is False:
            missing.append(
                Missing(metric="memory", reason="skipped", detail="profile_memory is off")
            )
        if not self.stacks.has_main_samples and (entry := _no_samples(header)) is not None:
            missing.append(entry)
        return tuple(missing)


def _no_samples(header: HeaderJson) -> Missing | None:
    """Say why the main process has no call stacks; records of earlier versions say nothing."""
    rate_hz = header.get("sampling_hz")
    if rate_hz is None:
        return None
    if rate_hz == 0:
        return Missing(metric="stack_samples", reason="skipped", detail="sampling_hz is 0")
    detail = header.get("no_sampling")
    if detail is not None:
        return Missing(metric="stack_samples", reason="unsupported", detail=detail)
    detail = "the run ended before a call stack was sampled"
    return Missing(metric="stack_samples", reason="not_collected", detail=detail)


def _seconds(nanoseconds: float | None) -> float | None:
    return None if nanoseconds is None else nanoseconds * SECONDS_PER_NS
