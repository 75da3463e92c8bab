"""The record format: one JSON object per line, one type per kind of record.

The recorder writes these types and the reader returns them, checked (`checks.py`). They cost
nothing at run time. `docs/records.md` describes the format for other programs.

Times are integers of nanoseconds; instants count from the recorder's start. Every column of a
record has the same length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from typing_extensions import NotRequired

    from ocr_baseline.vocabulary import RunStatus

FORMAT_NAME: Literal["ocr-baseline-records"] = "ocr-baseline-records"
FORMAT_VERSION = 1

ROWS_PER_RECORD = 1000
"""The most rows that the recorder writes as one record."""

MAX_LINE_BYTES = 64 * 1024 * 1024
"""Far more than a thousand batches with hundreds of lines take; more is damage."""

LARGEST_NS = 2**58
"""Nine years in nanoseconds: more is damage, and 32 such lines still sum up in 64 bits."""

LARGEST_NUMBER = 2.0**63
LARGEST_COUNT = 2**40
"""A million million of anything: more is damage, and eight million such counts still sum up."""

MAX_RANKS = 100_000
MAX_WORKERS = 10_000
MAX_STACK_FUNCTIONS = 100_000
MAX_STACK_DEPTH = 1000
"""More functions and deeper stacks than the recorder keeps of a process."""

MAX_SLOWEST = 20
"""The slowest batches and samples that are kept, of each worker and of each stage."""

MAX_WINDOW_ENTRIES = 20
MAX_WINDOW_EVENTS = 4000
"""The heaviest entries of each table of a profile window, and its longest events, that are kept."""

MAX_PREFETCH_FACTOR = 1_000_000
MAX_THREADS = 1_000_000
"""More than any machine runs and any loader holds: a replay makes room for so many."""

Place = Literal["main", "thread", "worker"]
"""Where an operation ran: the main thread, another thread, a data-loader worker."""


class RunJson(TypedDict, total=False):
    """Which run this is, as its logger or Hydra knows it."""

    id: str | None
    name: str | None
    project: str | None
    entity: str | None
    url: str | None


class EnvironmentJson(TypedDict, total=False):
    """`identity` decides whether two runs compare; `volatile` may differ between them."""

    identity: dict[str, Any]
    volatile: dict[str, Any]


class StartJson(TypedDict, total=False):
    """What came before the recorder's start, as nanoseconds before it; null where unknown.

    `process_ns` is how long ago the process began, `why_not` why that isn't known. The callback
    was made `callback_ns` before, the trainer's `fit` began `fit_ns` before. `actions_ns` are
    durations of what the trainer did between its `fit` and the callback's `setup`.
    """

    process_ns: int | None
    clock: str | None
    why_not: str | None
    callback_ns: int | None
    fit_ns: int | None
    actions_ns: dict[str, int]


class HeaderFields(TypedDict, total=False):
    """What a header tells; a later header adds keys or replaces them.

    `earlier_processes` counts the processes that recorded this run in the file before.
    """

    recording: str
    started_ns: int
    earlier_processes: int
    written_at: str
    clock: str
    world_size: int
    run: RunJson
    environment: EnvironmentJson
    config: dict[str, Any] | None
    config_hash: str | None
    include_config: bool
    profile_memory: bool
    operations: list[str]
    loop: bool
    start: StartJson
    sampling_hz: float
    no_sampling: str | None


class HeaderJson(HeaderFields):
    """Who, where and with what; the first record of a run."""

    type: Literal["header"]
    format: str
    version: int


class BatchesJson(TypedDict):
    """Columns over finished batches of one stage; the lines of a batch sum to its duration."""

    type: Literal["batches"]
    stage: str
    epoch: list[int]
    batch_idx: list[int]
    dataloader_idx: list[int]
    samples: list[int | None]
    start_ns: list[int]
    lines_ns: dict[str, list[int]]


class EpochJson(TypedDict):
    """One finished pass; `tail_ns` is the time outside its batches, by line.

    `read_bytes` is what read calls of the main thread returned meanwhile, `disk_read_bytes` what
    was fetched from a disk for it, `disk_wait_ns` how long it stood still for one; `cpu_ns` is the
    processor time of all threads of the process, `thread_ns` that of the main thread alone,
    `queued_ns` how long the main thread stood ready for a core that others had; null where the
    system doesn't tell.
    """

    type: Literal["epoch"]
    stage: str
    epoch: int
    start_ns: int
    batches: int
    events: int
    tail_ns: dict[str, int]
    read_bytes: NotRequired[int | None]
    disk_read_bytes: NotRequired[int | None]
    disk_wait_ns: NotRequired[int | None]
    cpu_ns: NotRequired[int | None]
    thread_ns: NotRequired[int | None]
    queued_ns: NotRequired[int | None]


class OperationJson(TypedDict):
    """Totals of an operation since its process began: the last record of each process counts.

    An empty sample leaves the one before in place. `exclusive_ns` is given for threads alone,
    `pid` and `worker` for workers alone.
    """

    type: Literal["operation"]
    name: str
    stage: str
    where: Place
    calls: int
    total_ns: int
    call_sample_ns: list[int]
    exclusive_ns: NotRequired[int]
    pid: NotRequired[int]
    worker: NotRequired[int]


class MemoryJson(TypedDict):
    """Columns over samples of memory; null where a value was not read."""

    type: Literal["memory"]
    at_ns: list[int]
    stage: list[str]
    main_rss_bytes: list[int | None]
    workers_rss_bytes: list[int | None]
    system_memory_percent: list[float | None]
    tree_pss_bytes: NotRequired[list[int | None]]
    accelerator_allocated_bytes: NotRequired[list[int | None]]
    accelerator_reserved_bytes: NotRequired[list[int | None]]
    accelerator_utilization_percent: NotRequired[list[float | None]]


class DeviceBatchJson(TypedDict):
    """One batch on the device's own clock."""

    type: Literal["device_batch"]
    clock: str
    stage: str
    epoch: int
    position: int
    is_first_of_epoch: bool
    lines_ns: dict[str, int]


class WorkerStartJson(TypedDict):
    """When a data-loader worker was asked for and when it was ready."""

    type: Literal["worker_start"]
    format: str
    version: int
    stage: str
    worker: int
    pid: int
    asked_ns: int
    ready_ns: int
    prefetch_factor: int | None


class WorkerBatchesJson(TypedDict):
    """Columns over the batches that one worker made.

    `cpu_ns` is the processor time of all threads of the worker meanwhile, `queued_ns` how long its
    main thread stood ready for a core that others had, null where the system doesn't tell. What
    the process read is told as in an epoch.
    """

    type: Literal["worker_batches"]
    stage: str
    worker: int
    pid: int
    start_ns: list[int]
    end_ns: list[int]
    lines_ns: dict[str, list[int]]
    cpu_ns: NotRequired[list[int]]
    queued_ns: NotRequired[list[int | None]]
    read_bytes: NotRequired[list[int | None]]
    disk_read_bytes: NotRequired[list[int | None]]
    disk_wait_ns: NotRequired[list[int | None]]
    torch_threads: NotRequired[int | None]


class SlowestJson(TypedDict):
    """The batches and samples that took a worker longest so far: its last such record counts.

    Columns over batches: `batch_indices` is what the worker was asked for, null where those aren't
    plain whole numbers, or are too many. Columns over samples, the slowest time of each index:
    `sample_file` where the dataset's file of it is certain. `samples` were timed, and took
    `samples_ns` together.
    """

    type: Literal["slowest"]
    stage: str
    worker: int
    pid: int
    batch_ns: list[int]
    batch_start_ns: list[int]
    batch_indices: list[list[int] | None]
    sample: list[int]
    sample_ns: list[int]
    sample_start_ns: list[int]
    sample_file: list[str | None]
    samples: int
    samples_ns: int


class StackFunctionsJson(TypedDict):
    """Functions that sampling met in this process since the last such record, in columns.

    Functions are numbered over all records of a process, from 0; `first` is the number of this
    record's first. `pid` and `worker` are given for workers alone.
    """

    type: Literal["stack_functions"]
    first: int
    name: list[str]
    file: list[str]
    line: list[int]
    pid: NotRequired[int]
    worker: NotRequired[int]


class StackSamplesJson(TypedDict):
    """Call stacks sampled since the last such record: columns over stacks, which add up.

    `stack` holds the functions' numbers, outermost first; `ticks` counts sampling intervals.
    `cost_ns` is the time that taking them took the sampled thread.
    """

    type: Literal["stack_samples"]
    stage: str
    interval_ns: int
    cost_ns: int
    line: list[str]
    stack: list[list[int]]
    ticks: list[int]
    pid: NotRequired[int]
    worker: NotRequired[int]


class GarbageJson(TypedDict):
    """Garbage collections in the measured thread since the last such record of the stage.

    They add up. `lines_ns` is how long they held it, by the line that was running; full ones
    searched everything.
    """

    type: Literal["garbage"]
    stage: str
    collections: int
    full_collections: int
    lines_ns: dict[str, int]


class WindowEntriesJson(TypedDict):
    """Columns over what ran in a profile window, the heaviest first.

    `host_ns` is self time on the host, `device_ns` that of the kernels launched there.
    """

    name: list[str]
    calls: list[int]
    host_ns: list[int]
    device_ns: list[int]


class WindowWaitsJson(TypedDict):
    """Columns over calls that waited for the device, by operator and place in the code."""

    operator: list[str]
    place: list[str | None]
    calls: list[int]
    host_ns: list[int]


class WindowEventsJson(TypedDict):
    """Columns over the longest events of a profile window, in the order in which they began.

    `name` and `track` are places in `names` and `tracks`.
    """

    names: list[str]
    tracks: list[str]
    name: list[int]
    track: list[int]
    start_ns: list[int]
    duration_ns: list[int]


class ProfileWindowJson(TypedDict):
    """What torch.profiler recorded of `batches` batches, from `position` of the stage on.

    `cost_ns` is what opening, closing and reading it took. `why_no_stacks` says why there are no
    modules and no places; `left_out` later events were not read.
    """

    type: Literal["profile_window"]
    stage: str
    epoch: int
    batch_idx: int
    position: int
    batches: int
    start_ns: int
    duration_ns: int
    cost_ns: int
    has_device: bool
    why_no_stacks: str | None
    left_out: int
    device_busy_ns: int | None
    operators: WindowEntriesJson
    kernels: WindowEntriesJson
    modules: WindowEntriesJson
    waits: WindowWaitsJson
    events: WindowEventsJson


class FlopsJson(TypedDict):
    """The floating-point operations of one batch; `peak_flops_per_s` is the device's own limit."""

    type: Literal["flops"]
    stage: str
    position: int
    samples: int | None
    flops: int
    peak_flops_per_s: float | None
    why_no_peak: str | None


class NotMeasuredJson(TypedDict):
    """Something that was asked for could not be measured."""

    type: Literal["not_measured"]
    metric: str
    why: str


class RemovedJson(TypedDict):
    """The file was removed during the run, and these batches with it."""

    type: Literal["removed"]
    batches: int


class WarningJson(TypedDict):
    """A sentence about the measuring that the report must say."""

    type: Literal["warning"]
    text: str


class AcceleratorPeaksJson(TypedDict, total=False):
    """What the accelerator's allocator used at most since the process began."""

    allocated_peak_bytes: int
    reserved_peak_bytes: int
    total_bytes: int
    alloc_retries: int
    ooms: int


class StatusFields(TypedDict, total=False):
    """What is known besides how the run ended.

    `stage_peaks` has the accelerator's allocated peak in bytes of each stage that raised it.
    """

    ended_by: str | None
    reports: int
    at_ns: int
    event_cost_ns: float
    background_cpu_ns: int
    discarded_batches: int
    volatile: dict[str, float]
    memory: AcceleratorPeaksJson | None
    stage_peaks: dict[str, int]
    gradient_wait_s: float | None


class StatusJson(StatusFields):
    """How the run ended, once it has: the last record of this kind counts."""

    type: Literal["status"]
    status: RunStatus


Record = (
    HeaderJson
    | BatchesJson
    | EpochJson
    | OperationJson
    | MemoryJson
    | DeviceBatchJson
    | WorkerStartJson
    | WorkerBatchesJson
    | SlowestJson
    | StackFunctionsJson
    | StackSamplesJson
    | GarbageJson
    | ProfileWindowJson
    | FlopsJson
    | NotMeasuredJson
    | RemovedJson
    | WarningJson
    | StatusJson
)


def unknown_status() -> StatusJson:
    """Return the status of a run that hasn't ended yet, or was killed."""
    return {"type": "status", "status": "unknown"}


def line_start(kind: str) -> bytes:
    """Return what a line of this kind begins with: the recorder writes `type` first."""
    return f'{{"type":"{kind}"'.encode()
