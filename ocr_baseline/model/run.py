"""`Run`: what a source read, before any statistics; the one input of the analysis.

A source fills what it holds and leaves the rest empty, with a `Missing` entry that says why.
Durations are seconds, memory is bytes, instants are seconds since the run's start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from ocr_baseline.vocabulary import MissingReason, RunStatus, SourceName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ocr_baseline.model.slowest import SlowestRecord
    from ocr_baseline.model.window import FlopRecord, WindowRecord
    from ocr_baseline.vocabulary import Stage

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]


@dataclass(frozen=True, kw_only=True)
class RunInfo:
    """Which run was measured, how it ended, and where its numbers were read."""

    # The document holds this class: the order of the fields is the order in `baseline.json`.

    id: str | None = None
    name: str | None = None
    project: str | None = None
    entity: str | None = None
    url: str | None = None
    status: RunStatus = "unknown"
    started_at: datetime | None = None
    duration_s: float | None = None
    source: SourceName
    ended_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A metric that has no value here, and why."""

    metric: str
    reason: MissingReason
    detail: str | None = None


def missing_entry(entries: Sequence[Missing], metric: str) -> Missing | None:
    """Return the entry that says why `metric` has no value.

    `metric` is a path of the document in which a phase stands by its name, as in
    `phases.validation.batch_time_s.p99`. An entry for the path wins over one for a part of the
    document around it (`phases.validation`), the longest first. An entry may leave `phases.` out.
    """
    parts = metric.split(".")
    by_path = {entry.metric.removeprefix("phases."): entry for entry in reversed(entries)}
    for length in range(len(parts), 0, -1):
        entry = by_path.get(".".join(parts[:length]).removeprefix("phases."))
        if entry is not None:
            return entry
    return None


@dataclass(frozen=True, kw_only=True)
class BatchTable:
    """One row for each batch of one stage, in the order in which they ran.

    Every column has shape (batches,). `duration_s` is the whole cycle of a batch: from asking for
    it to asking for the next one, validation in between not counted. `lines_s` holds the share of
    each breakdown line and named operation (exclusive time); the lines of a row sum to its
    duration (in single precision). `samples` is NaN where the batch's size isn't known.
    """

    epoch: NDArray[np.int64]
    batch_idx: NDArray[np.int64]
    dataloader_idx: NDArray[np.int64]
    start_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]
    samples: NDArray[np.float64]
    lines_s: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class DeviceBatches:
    """The batches of a stage that were timed on the device's own clock, one in several.

    `position` is a batch's number in its stage; every column has shape (timed batches,). The
    lines of a row sum to the device's time from asking for the batch to asking for the next.
    """

    clock: str
    position: NDArray[np.int64]
    is_first_of_epoch: NDArray[np.bool_]
    lines_s: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True)
class ReadRecord:
    """What a process or thread read in some time, and how long it stood still for a disk.

    `read_bytes` is what read calls returned, `disk_bytes` what was fetched from block devices and
    NFS for it. What the system didn't tell is None.
    """

    read_bytes: float | None = None
    disk_bytes: float | None = None
    disk_wait_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class EpochRecord:
    """One finished pass of a stage, without the batches, which are in the batch table.

    `tail_s` is the time outside the batches, by line: hooks before the first and after the last,
    the loader's start, epoch-end metrics, checkpoints. `events` counts the spans that the
    profiler entered during the whole pass, `reading` is what the main thread read in it. `cpu_s` is
    the processor time of all threads of the process, `thread_s` that of the main thread alone,
    `queued_s` how long the main thread stood ready for a core that others had; None where that
    isn't recorded.
    """

    epoch: int
    started_s: float
    batches: int
    events: int
    tail_s: Mapping[str, float]
    reading: ReadRecord = field(default_factory=ReadRecord)
    cpu_s: float | None = None
    thread_s: float | None = None
    queued_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class WorkerRecord:
    """One data-loader worker process.

    `start_s`, `end_s` and each of `lines_s` have shape (batches made,): when the worker began and
    ended to make each batch, and the exclusive time of each operation in it. `prefetch_factor` is
    how many batches a worker the loader asks for ahead, `torch_threads` in how many threads torch
    computed there.

    `cpu_s` is the processor time of the worker's threads while it made each batch, `queued_s` how
    long its main thread stood ready for a core that others had. `read_bytes`, `disk_bytes` and
    `disk_wait_s` are what it read for each, as in `ReadRecord`. What isn't recorded is None.
    """

    stage: Stage
    worker: int
    pid: int
    asked_s: float | None
    ready_s: float | None
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    lines_s: Mapping[str, NDArray[np.float64]]
    prefetch_factor: int | None = None
    cpu_s: NDArray[np.float64] | None = None
    queued_s: NDArray[np.float64] | None = None
    read_bytes: NDArray[np.float64] | None = None
    disk_bytes: NDArray[np.float64] | None = None
    disk_wait_s: NDArray[np.float64] | None = None
    torch_threads: int | None = None


@dataclass(frozen=True, kw_only=True)
class ReportedEpoch:
    """Statistics that somebody logged for one epoch; None where a key was not logged.

    The fields bear the units of the seed's keys turned to SI: seconds and bytes.
    """

    epoch: int | None = None
    step: int | None = None
    epoch_time_s: float | None = None
    num_batches: int | None = None
    num_samples: float | None = None
    batch_mean_s: float | None = None
    batch_median_s: float | None = None
    batch_p95_s: float | None = None
    batch_p99_s: float | None = None
    batch_std_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class StageRecord:
    """All that is known of one stage (and one dataloader, where statistics were only logged).

    `batches` and `epochs` come from the recorder. Sources that hold logged metrics only fill
    `reported` instead, one entry for each epoch that was logged. `set_aside` has the positions of
    batches that were looked into and are slower for it.
    """

    stage: Stage
    dataloader_idx: int | None = None
    batches: BatchTable | None = None
    epochs: tuple[EpochRecord, ...] = ()
    device: DeviceBatches | None = None
    reported: tuple[ReportedEpoch, ...] = ()
    set_aside: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True)
class OperationRecord:
    """Calls of one named operation in one stage and one kind of process.

    `exclusive_s` leaves out the operations nested inside. `in_main_thread` operations are lines of
    the breakdown; those of other threads and of workers ran in parallel. `call_time_s` is a sample
    of the durations of single calls, shape (kept calls,), at most some thousands.
    """

    name: str
    stage: Stage
    process: Literal["main", "worker"]
    calls: int
    total_s: float
    exclusive_s: float
    in_main_thread: bool = False
    call_time_s: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class SampledFunction:
    """A function that sampling met: its qualified name, its file, its first line there."""

    name: str
    file: str
    line: int


@dataclass(frozen=True)
class SampledStack:
    """How often one call stack was met while one line of the breakdown was running.

    `stack` holds indices of functions, outermost first; `ticks` counts the sampling intervals that
    ended in it, those merged in a long call included. `line` is the breakdown line, in a worker
    `fetch` or `idle`.
    """

    line: str
    stack: tuple[int, ...]
    ticks: int


@dataclass(frozen=True, kw_only=True)
class StackSamples:
    """The call stacks of one stage in one kind of process: of all its workers together.

    `cost_s` is the time that sampling took the sampled threads.
    """

    stage: Stage
    process: Literal["main", "worker"]
    interval_s: float
    functions: tuple[SampledFunction, ...]
    stacks: tuple[SampledStack, ...]
    cost_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class GarbageRecord:
    """How often Python collected garbage in the main thread in one stage, and what that took.

    `lines_s` has the pauses by the breakdown line that they were in; full collections searched
    everything, as `gc.collect()` does.
    """

    stage: Stage
    collections: int
    full_collections: int
    lines_s: Mapping[str, float]

    @property
    def total_s(self) -> float:
        """All pauses together."""
        return sum(self.lines_s.values())


@dataclass(frozen=True, kw_only=True)
class MemorySamples:
    """Memory over time; every column has shape (samples,) and NaN where a value wasn't read.

    `stages` names the stage that was open at each sample, where the source knows. The peaks are
    the allocator's own, which no sample can miss; `accelerator_stage_peak_bytes` has those of the
    stages that raised it.
    """

    at_s: NDArray[np.float64]
    tree_rss_bytes: NDArray[np.float64]
    main_rss_bytes: NDArray[np.float64]
    workers_rss_bytes: NDArray[np.float64]
    system_memory_percent: NDArray[np.float64]
    tree_pss_bytes: NDArray[np.float64] | None = None
    accelerator_allocated_bytes: NDArray[np.float64] | None = None
    accelerator_reserved_bytes: NDArray[np.float64] | None = None
    accelerator_utilization_percent: NDArray[np.float64] | None = None
    stages: tuple[str, ...] = ()
    accelerator_allocated_peak_bytes: float | None = None
    accelerator_reserved_peak_bytes: float | None = None
    accelerator_stage_peak_bytes: Mapping[str, float] = field(default_factory=dict)
    accelerator_total_bytes: float | None = None
    accelerator_alloc_retries: int | None = None
    accelerator_ooms: int | None = None


@dataclass(frozen=True, kw_only=True)
class MeasurementRecord:
    """What the measuring itself cost, and how a reader should take the numbers."""

    clock: str | None = None
    event_cost_s: float | None = None
    background_cpu_s: float | None = None
    sanity_check_s: float | None = None
    sanity_check_batches: int = 0
    setup_s: float | None = None
    lost_records: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StartRecord:
    """The time until a run's first training batch ended; its parts follow one another.

    `process_s` is what had passed since the process began when the set-up did (by `clock`), and
    `fit_s` what had passed of the trainer's `fit`; None where that isn't known. `before_s` divides
    the longer of them. `lines_s` divides the set-up, until the first batch is asked for and
    without the sanity check. `first_fetch_s` is how long the batch was waited for, `first_step_s`
    the rest until it ended.
    """

    process_s: float | None = None
    clock: str | None = None
    fit_s: float | None = None
    before_s: Mapping[str, float] = field(default_factory=dict)
    lines_s: Mapping[str, float] = field(default_factory=dict)
    sanity_check_s: float = 0.0
    first_fetch_s: float = 0.0
    first_step_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class RankStage:
    """Totals of one stage on one rank; `lines_s` covers batches and tails, and sums to `total_s`.

    `batches_s` is the time of the batches alone; `samples` is None where a size isn't known.
    """

    stage: Stage
    batches: int
    epochs: int
    samples: int | None
    total_s: float
    batches_s: float
    lines_s: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class RankRecord:
    """One process of a distributed run; `recorded_until_s` is the start of its last batch.

    `gradient_wait_s` is how long a backward pass waited for the gradients of the other ranks, the
    mean of those that DDP timed, None where it timed none. Instants count from the start of that
    rank's own recorder.
    """

    rank: int
    status: RunStatus = "unknown"
    ended_by: str | None = None
    recorded_until_s: float | None = None
    lost_records: int = 0
    gradient_wait_s: float | None = None
    stages: tuple[RankStage, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run as a source read it.

    The stages are those of rank 0. `ranks` has the totals of every rank that left records, rank 0
    too, where `world_size` is above 1. `config_hash` is known where the config was left out, too.
    """

    info: RunInfo
    stages: tuple[StageRecord, ...] = ()
    operations: tuple[OperationRecord, ...] = ()
    workers: tuple[WorkerRecord, ...] = ()
    slowest: tuple[SlowestRecord, ...] = ()
    stack_samples: tuple[StackSamples, ...] = ()
    garbage: tuple[GarbageRecord, ...] = ()
    profile_window: WindowRecord | None = None
    flops: FlopRecord | None = None
    memory: MemorySamples | None = None
    start: StartRecord | None = None
    measurement: MeasurementRecord = field(default_factory=MeasurementRecord)
    config: Mapping[str, JsonValue] | None = None
    config_hash: str | None = None
    data_hash: str | None = None
    environment_identity: Mapping[str, JsonValue] = field(default_factory=dict)
    environment_volatile: Mapping[str, JsonValue] = field(default_factory=dict)
    missing: tuple[Missing, ...] = ()
    world_size: int = 1
    ranks: tuple[RankRecord, ...] = ()
