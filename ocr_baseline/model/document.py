"""The baseline document, version 1.0: what `baseline.json` holds, as pydantic models.

Names and nesting are a contract with other programs. Units are SI and stand in the name's suffix;
`None` means "not measured" and has an entry in `missing`; 0 is a measurement.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    Strict,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
)

from ocr_baseline.errors import SettingError
from ocr_baseline.model.run import Missing, RunInfo
from ocr_baseline.vocabulary import PHASE_NAMES, PhaseName, RunStatus

if TYPE_CHECKING:
    import pandas as pd

    from ocr_baseline.model.frames import TableName

SCHEMA_NAME: Literal["ocr-baseline"] = "ocr-baseline"
SCHEMA_VERSION = "1.0"

Severity = Literal["high", "medium", "low", "info"]

SMALL_SHARE_OF_RUN = 0.02
"""A saving below 2% of the run is no bottleneck: runs of the same code vary by as much."""

FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""A whole number that every reader can hold: nothing in a run is counted beyond it."""

BatchTimeScope = Literal["steady batches", "all batches", "last logged epoch"]


class DocumentModel(BaseModel):
    """Frozen; fields that a newer minor version added are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Distribution(DocumentModel):
    """Statistics of a time in seconds; `std` is the sample standard deviation (n - 1)."""

    count: Count | None
    mean: FiniteFloat | None = None
    median: FiniteFloat | None = None
    p95: FiniteFloat | None = None
    p99: FiniteFloat | None = None
    std: FiniteFloat | None = None
    min: FiniteFloat | None = None
    max: FiniteFloat | None = None


class Warmup(DocumentModel):
    """The batches that totals include and statistics leave out, and the rule that chose them."""

    batches: Count
    total_s: FiniteFloat | None
    rule: str


class FunctionShare(DocumentModel):
    """A function that sampling met in a line, as shares of the line's samples.

    `self_share` is the function's own code and the C functions that it calls, `inclusive_share`
    everything that it calls; `low` and `high` are the 95% interval of the latter. `line` is the
    function's first line in `file`. `framework` is torch and Lightning.
    """

    name: str
    file: str
    line: Count
    origin: Literal["user", "library", "framework", "stdlib"]
    self_share: FiniteFloat
    inclusive_share: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat


class BreakdownLine(DocumentModel):
    """One line of a phase's time: `share` of the phase's total, mean seconds per batch.

    `parts` splits `callbacks` by callback class; a part is in its line's total already.
    `functions` are the heaviest that sampling met in the line, `cause` is the one of them that the
    line's time is in, None where the samples show no single one or there are too few.
    """

    name: str
    total_s: FiniteFloat
    share: FiniteFloat | None
    per_batch_s: FiniteFloat | None
    parts: list[BreakdownLine] = []
    functions: list[FunctionShare] = []
    cause: FunctionShare | None = None


class DeviceTime(DocumentModel):
    """The steady batches of a phase on the device's own clock; one in several was timed.

    The device's time of a batch runs from the mark at asking for it to the mark at asking for the
    next, idle time between included. `breakdown` has totals over the timed batches.
    """

    clock: str
    batches: Count
    batch_time_s: Distribution
    breakdown: list[BreakdownLine]


class EpochSummary(DocumentModel):
    """One epoch of a phase; what was read in it is told as in the phase."""

    epoch: Count | None
    batches: Count | None
    total_s: FiniteFloat | None
    batch_time_s: Distribution | None
    read_bytes: FiniteFloat | None = None
    disk_read_bytes: FiniteFloat | None = None


class MemoryUse(DocumentModel):
    """A quantity of memory over the run, in bytes.

    Growth is the slope of the second half of the run, with its 95% interval.
    """

    start: FiniteFloat | None = None
    end: FiniteFloat | None = None
    peak: FiniteFloat | None = None
    mean: FiniteFloat | None = None
    growth_bytes_per_min: FiniteFloat | None = None
    growth_low_bytes_per_min: FiniteFloat | None = None
    growth_high_bytes_per_min: FiniteFloat | None = None


class PhaseMemory(DocumentModel):
    """Memory while a phase was running, from the samples taken in it (about one a second)."""

    samples: Count
    process_tree_rss_bytes: MemoryUse | None = None
    accelerator_allocated_bytes: MemoryUse | None = None
    accelerator_reserved_bytes: MemoryUse | None = None


class Utilization(DocumentModel):
    """How busy the accelerator was: the driver's share of time in which it ran any kernel.

    A device can be 100% busy and still be used badly; one that is not busy waits for the host.
    `mean_low_percent` and `mean_high_percent` are the 95% interval of the mean.
    """

    samples: Count
    mean_percent: FiniteFloat
    min_percent: FiniteFloat
    max_percent: FiniteFloat
    p5_percent: FiniteFloat | None = None
    p95_percent: FiniteFloat | None = None
    mean_low_percent: FiniteFloat | None = None
    mean_high_percent: FiniteFloat | None = None


class Phase(DocumentModel):
    """One stage of the run (one dataloader of it, where it has several).

    `batch_time_s` covers the steady batches, or those of `batch_time_scope` where that says so.
    A batch's time runs from asking for it to asking for the next. `epoch_time_s` and
    `sample_time_s` divide everything that the phase took by its epochs and by its samples.
    `block_means_s` are the means of consecutive blocks of steady batches, for intervals.
    `garbage_collections` held the main thread for `garbage_s`, which is in the breakdown's lines.
    `read_bytes` is what read calls of the main thread and of recorded workers returned (files,
    pipes, sockets; cached or not; mapped files don't count), `disk_read_bytes` what the kernel
    fetched from block devices and NFS for them (FUSE and other network file systems don't count).
    For `disk_wait_s` their main threads stood still for such a device. `cpu_s` is the processor
    time of all threads of the training's process, loader workers not counted; for `queued_s` its
    main thread stood ready for a core that others had, threads of its own among them.
    """

    name: PhaseName
    dataloader: Count | None = None
    epochs: Count | None = None
    batches: Count | None = None
    samples: Count | None = None
    total_s: FiniteFloat | None = None
    warmup: Warmup | None = None
    batch_time_s: Distribution | None = None
    batch_time_scope: BatchTimeScope | None = None
    block_means_s: list[FiniteFloat] = []
    epoch_time_s: FiniteFloat | None = None
    sample_time_s: FiniteFloat | None = None
    throughput_samples_per_s: FiniteFloat | None = None
    breakdown: list[BreakdownLine] = []
    device: DeviceTime | None = None
    memory: PhaseMemory | None = None
    accelerator_utilization: Utilization | None = None
    garbage_collections: Count | None = None
    garbage_s: FiniteFloat | None = None
    read_bytes: FiniteFloat | None = None
    disk_read_bytes: FiniteFloat | None = None
    disk_wait_s: FiniteFloat | None = None
    cpu_s: FiniteFloat | None = None
    queued_s: FiniteFloat | None = None
    per_epoch: list[EpochSummary] = []


def whole_phase(phases: Iterable[Phase], name: str) -> Phase | None:
    """Return the phase over all dataloaders, or that of the only dataloader.

    None when the phase did not run, or when several dataloaders were logged and no sum of them.
    """
    of_loaders = []
    for phase in phases:
        if phase.name == name:
            if phase.dataloader is None:
                return phase
            of_loaders.append(phase)
    return of_loaders[0] if len(of_loaders) == 1 else None


def time_of_run(run: RunInfo, phases: Iterable[Phase], start: Start | None) -> float:
    """Return the time of a run in seconds, or of its phases where that wasn't measured.

    It counts from where the time to the first step does, where that is known: shares of the run
    are of this.
    """
    before_s = 0.0 if start is None else start.process_to_setup_s or start.fit_to_setup_s or 0.0
    return before_s + max(run.duration_s or 0.0, sum(phase.total_s or 0.0 for phase in phases))


class Operation(DocumentModel):
    """A named operation in one phase.

    `exclusive_s` leaves out operations nested inside. `waited_s` is what the main thread waited
    for it: all of it in the main thread, what waits for batches overlapped in workers.
    `share_of_phase` is exclusive time over the phase's total; in workers, over the time that they
    spent making batches.
    """

    name: str
    phase: str
    process: Literal["main", "worker"]
    calls: Count
    total_s: FiniteFloat
    exclusive_s: FiniteFloat
    waited_s: FiniteFloat | None = None
    share_of_phase: FiniteFloat | None = None
    call_time_s: Distribution | None = None


class SlowSample(DocumentModel):
    """The longest that the dataset took to return one sample, and in which epoch that was.

    `file` is known of torchvision's dataset folders.
    """

    index: Count
    time_s: FiniteFloat
    epoch: Count | None = None
    file: str | None = None


class SlowBatch(DocumentModel):
    """A batch that its worker took long to make, with the indices of its samples.

    They are None where the sampler's indices aren't plain whole numbers, or are more than 256.
    """

    time_s: FiniteFloat
    epoch: Count | None = None
    indices: list[Count] | None = None
    disk_read_bytes: FiniteFloat | None = None


class Workers(DocumentModel):
    """The data-loader workers of one phase.

    `busy_s` is the time that all of them together spent making batches, `unnamed_s` the part of
    it in no named operation, `waited_s` the part of it that the main thread waited for. Meanwhile
    they used `cpu_s` of processor time, with all their threads, and stood ready for a core that
    others had for `queued_s`; torch computed in `torch_threads` threads in each of them. What they
    read is told as in a phase. A
    worker's start-up runs from asking for the process to its being ready for a batch. The dataset
    took `sample_mean_s` to return a sample; `slowest_samples` and `slowest_batches` are at most
    twenty each, the slowest first, and a sample is there once. `receive_time_s` is how long the
    main thread took to receive batches that were ready when it asked for them, in the passes that
    are replayed. `functions`
    and `cause` are, as in a line of the breakdown, what sampling met while they made batches.
    """

    phase: str
    count: Count
    processes: Count
    batches: Count
    startup_mean_s: FiniteFloat | None = None
    startup_max_s: FiniteFloat | None = None
    busy_s: FiniteFloat
    unnamed_s: FiniteFloat
    waited_s: FiniteFloat
    cpu_s: FiniteFloat | None = None
    cpu_share: FiniteFloat | None = None
    queued_s: FiniteFloat | None = None
    read_bytes: FiniteFloat | None = None
    disk_read_bytes: FiniteFloat | None = None
    disk_wait_s: FiniteFloat | None = None
    torch_threads: Count | None = None
    receive_time_s: Distribution | None = None
    sample_mean_s: FiniteFloat | None = None
    slowest_samples: list[SlowSample] = []
    slowest_batches: list[SlowBatch] = []
    functions: list[FunctionShare] = []
    cause: FunctionShare | None = None

    @property
    def wanted_cores(self) -> float | None:
        """How many cores each of them wanted while it made batches, None where not measured."""
        if self.cpu_s is None or self.queued_s is None or not self.busy_s:
            return None
        return (self.cpu_s + self.queued_s) / self.busy_s


class StartPart(DocumentModel):
    """A part of the time to the first step: `share` of it.

    `cause` is, as in a line of the breakdown, the function that sampling met.
    """

    name: str
    total_s: FiniteFloat
    share: FiniteFloat | None = None
    cause: FunctionShare | None = None


class Start(DocumentModel):
    """The time until the run's first training batch ended, warm-up of that batch included.

    It counts from the start of the process where that is known (by `clock`), else from the
    trainer's `fit`, else from the callback's `setup`: `since` says which. The set-up ends when the
    first batch is asked for; the sanity check, 0 where there was none, isn't part of it.
    `breakdown` holds all of the time, in the order in which it passed; lines are named as in a
    phase, module hooks by their hook.
    """

    since: Literal["process", "fit", "setup"]
    clock: str | None = None
    process_to_setup_s: FiniteFloat | None = None
    fit_to_setup_s: FiniteFloat | None = None
    setup_s: FiniteFloat
    sanity_check_s: FiniteFloat
    first_batch_s: FiniteFloat
    time_to_first_step_s: FiniteFloat
    breakdown: list[StartPart] = []


class Goodput(DocumentModel):
    """The share of the run that trained.

    `productive_s` is the time of all training batches without waiting for data and without
    checkpoints. `wall_s` counts from the start of the process where that is known, else from the
    callback's `setup`, to the end of the run.
    """

    productive_s: FiniteFloat
    wall_s: FiniteFloat
    share: FiniteFloat
    since: Literal["process", "setup"]


class Ratio(DocumentModel):
    """Validation divided by training, with its 95% interval where there is one."""

    value: FiniteFloat
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None


class WaterfallStep(DocumentModel):
    """Seconds that a line adds to a validation sample over a training sample."""

    name: str
    delta_s: FiniteFloat


class TrainVsValidation(DocumentModel):
    """The headline: above 1 means that validation is slower than training."""

    batch_ratio: Ratio | None = None
    sample_ratio: Ratio | None = None
    epoch_ratio: Ratio | None = None
    waterfall_s_per_sample: list[WaterfallStep] = []


class Generator(DocumentModel):
    """The program that wrote the document."""

    name: str
    version: str


class Workload(DocumentModel):
    """What ran: two runs compare only when their workloads agree."""

    config: dict[str, JsonValue] | None = None
    config_hash: str | None = None
    data_hash: str | None = None


class KnownEnvironment(BaseModel):
    """The entries of an environment that this program reads, by type.

    An entry of another type counts as unknown, because documents come from anybody. `cpu_count`
    and `memory_bytes` are what the run may use, `machine_cpu_count` all that its machine has.
    `cpu_limit_held_s` is how long the container's processor limit held the run, at most.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", allow_inf_nan=False, coerce_numbers_to_str=True
    )

    python: str | None = None
    torch: str | None = None
    lightning: str | None = None
    os: str | None = None
    cpu_model: str | None = None
    cpu_count: Annotated[Count, Strict(), Field(gt=0)] | None = None
    machine_cpu_count: Annotated[Count, Strict(), Field(gt=0)] | None = None
    memory_bytes: StrictFloat | None = None
    accelerator: str | None = None
    accelerator_name: str | None = None
    devices: StrictFloat | None = None
    precision: str | None = None
    batch_size: StrictFloat | None = None
    num_workers: StrictFloat | None = None
    torch_num_threads: StrictInt | None = None
    load_avg_1min: StrictFloat | None = None
    cpu_steal_share: StrictFloat | None = None
    cpu_frequency_drop_share: StrictFloat | None = None
    cpu_limit_cores: StrictFloat | None = None
    cpu_limit_held_s: StrictFloat | None = None
    cpu_limit_held_share: StrictFloat | None = None
    cpu_throttled_periods: StrictFloat | None = None
    git_commit: str | None = None
    git_dirty: StrictBool | None = None

    @field_validator("*", mode="wrap")
    @classmethod
    def _or_unknown(cls, value: object, validate: ValidatorFunctionWrapHandler) -> object:
        try:
            return validate(value)
        except ValidationError:
            return None


class Environment(DocumentModel):
    """Where it ran: `identity` decides whether two runs compare, `volatile` does not.

    Both hold whatever a source could tell.
    """

    identity: dict[str, JsonValue] = {}
    volatile: dict[str, JsonValue] = {}

    @property
    def known(self) -> KnownEnvironment:
        """What this program reads of both."""
        return KnownEnvironment.model_validate(self.volatile | self.identity)


class AcceleratorMemory(DocumentModel):
    """The accelerator's memory: the allocator's own peaks, and how often it ran short.

    A retry is an allocation that failed until cached blocks were freed; an `oom` one that failed
    for good.
    """

    allocated_peak_bytes: FiniteFloat | None = None
    reserved_peak_bytes: FiniteFloat | None = None
    total_bytes: FiniteFloat | None = None
    alloc_retries: Count | None = None
    ooms: Count | None = None


class Memory(DocumentModel):
    """Memory of the run: the process tree, its main process, its workers, the accelerator."""

    process_tree_rss_bytes: MemoryUse | None = None
    process_tree_pss_bytes: MemoryUse | None = None
    main_rss_bytes: MemoryUse | None = None
    workers_rss_bytes: MemoryUse | None = None
    accelerator: AcceleratorMemory | None = None
    system_memory_percent: FiniteFloat | None = None


class Evidence(DocumentModel):
    """A number of this document that a finding rests on."""

    metric: str
    value: FiniteFloat
    unit: str


class NamedCause(DocumentModel):
    """The function that sampling named as the cause of a finding.

    `share` is its part of the time of `of` (a path of the document), with its 95% interval.
    """

    name: str
    file: str
    line: Count
    share: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat
    of: str


class Finding(DocumentModel):
    """A cause that was measured, what it cost, and what to do about it.

    `lines` are the lines that its seconds are in, as `train.data_wait`. Findings that share their
    seconds have one cause: the deepest leads, and the others name it in `part_of`. `share_of_run`
    is the estimated saving over the time of the run, and `doubt` says what else may have caused it.
    """

    id: str
    severity: Severity
    title: str
    evidence: list[Evidence]
    estimated_saving_s: FiniteFloat | None = None
    estimated_saving_low_s: FiniteFloat | None = None
    estimated_saving_high_s: FiniteFloat | None = None
    saving_basis: str | None = None
    share_of_run: FiniteFloat | None = None
    advice: str
    lines: list[str] = []
    cause: NamedCause | None = None
    part_of: str | None = None
    doubt: str | None = None

    @property
    def is_small(self) -> bool:
        """Whether it would save less of the run than is worth a headline."""
        return self.share_of_run is not None and self.share_of_run < SMALL_SHARE_OF_RUN

    @property
    def limits_trust(self) -> bool:
        """Whether it is about the machine and not about the run: it limits all the others."""
        return self.id.startswith(("noisy-machine", "cpu-limit"))

    @property
    def rank(self) -> tuple[int, float, int, str]:
        """What findings are sorted by.

        What limits the trust in all others comes first; what is doubtful, what is small, and what
        another finding leads come last, in this order. Among equals the largest estimated saving
        comes first, then severity, then the id.
        """
        severities = get_args(Severity)
        tiers = (self.part_of is not None, self.is_small, self.doubt is not None)
        last = next((3 - place for place, holds in enumerate(tiers) if holds), 0)
        tier = -1 if self.limits_trust else last
        saving_s = self.estimated_saving_s or 0.0
        return tier, -saving_s, severities.index(self.severity), self.id


class Measurement(DocumentModel):
    """How the numbers were taken and what the taking cost.

    `overhead_s` is the profiler's own time in the main thread over all phases; `background_cpu_s`
    the processor time of its sampling thread, in parallel with the run.
    """

    clock: str | None = None
    overhead_s: FiniteFloat | None = None
    overhead_share: FiniteFloat | None = None
    per_batch_overhead_s: FiniteFloat | None = None
    background_cpu_s: FiniteFloat | None = None
    warnings: list[str] = []
    notes: list[str] = []


class RankPhase(DocumentModel):
    """One phase on one rank, warm-up and all.

    `own_s` leaves out the lines in which a rank waits for the others: the backward pass, which
    ends with the gradients of all ranks, and collectives that were called outside of it.
    `gradient_wait_mean_s` is the part of one backward pass in which the rank had nothing left to
    compute and waited for those gradients, the mean of the passes that DDP times itself (the first
    ten, and every hundredth).
    """

    phase: PhaseName
    batches: Count
    epochs: Count
    samples: Count | None = None
    total_s: FiniteFloat
    batch_mean_s: FiniteFloat | None = None
    data_wait_s: FiniteFloat
    backward_s: FiniteFloat
    gradient_wait_mean_s: FiniteFloat | None = None
    collectives_s: FiniteFloat
    own_s: FiniteFloat


class Rank(DocumentModel):
    """One process of a distributed run; `recorded_until_s` is when its last batch began."""

    rank: Count
    status: RunStatus = "unknown"
    ended_by: str | None = None
    recorded_until_s: FiniteFloat | None = None
    lost_records: Count = 0
    phases: list[RankPhase] = []


class RankSpread(DocumentModel):
    """A metric of `ranks[].phases[]`, in seconds per batch, over the ranks."""

    phase: PhaseName
    metric: Literal["batch", "data_wait", "backward", "collectives", "own"]
    min: FiniteFloat
    min_rank: Count
    median: FiniteFloat
    max: FiniteFloat
    max_rank: Count


def _count_of(phase: Phase) -> str:
    loader = "" if phase.dataloader is None else f"[{phase.dataloader}]"
    count = "" if phase.batches is None else f" {phase.batches} batches"
    return f"{phase.name}{loader}{count}"


class Baseline(DocumentModel):
    """The whole document."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        populate_by_name=True,
        # `run` and `missing` are plain dataclasses, which nobody has validated yet.
        revalidate_instances="always",
    )

    schema_name: Literal["ocr-baseline"] = Field(default=SCHEMA_NAME, alias="schema")
    schema_version: str = SCHEMA_VERSION
    generated_at: datetime
    generator: Generator
    run: RunInfo
    workload: Workload = Workload()
    environment: Environment = Environment()
    phases: list[Phase] = []
    operations: list[Operation] = []
    workers: list[Workers] = []
    train_vs_validation: TrainVsValidation | None = None
    start: Start | None = None
    goodput: Goodput | None = None
    memory: Memory | None = None
    findings: list[Finding] = []
    measurement: Measurement = Measurement()
    missing: list[Missing] = []
    world_size: Count = 1
    ranks: list[Rank] = []
    rank_spreads: list[RankSpread] = []
    series: str | None = None

    def phase(self, name: str) -> Phase | None:
        """Return the phase over all dataloaders, or that of the only dataloader.

        None when the phase did not run, or when several dataloaders have no sum.

        Args:
            name: `train`, `validation`, `test` or `predict`.

        Raises:
            SettingError: There is no phase of that name in any run; the message lists them.
        """
        if name not in PHASE_NAMES:
            raise SettingError(f"no phase {name!r}: choose from {', '.join(PHASE_NAMES)}")
        return whole_phase(self.phases, name)

    @property
    def total_s(self) -> float:
        """The time that shares of the run are of."""
        return time_of_run(self.run, self.whole_phases, self.start)

    @property
    def ranked_findings(self) -> list[Finding]:
        """The findings, the most worthwhile first."""
        return sorted(self.findings, key=lambda finding: finding.rank)

    @property
    def leading_findings(self) -> list[Finding]:
        """One finding for each cause, the most worthwhile first."""
        return [finding for finding in self.ranked_findings if finding.part_of is None]

    def shared_findings(self, leading: Finding) -> list[Finding]:
        """Return the findings about the same seconds as a leading one."""
        return [finding for finding in self.ranked_findings if finding.part_of == leading.id]

    def to_frame(self, table: TableName) -> pd.DataFrame:
        """Return one table of the document, in its names and units.

        Args:
            table: `phases`, `breakdown`, `functions`, `epochs`, `operations`, `start`,
                `findings` or `missing`.

        Raises:
            SettingError: There is no such table.
        """
        from ocr_baseline.model.frames import to_frame

        return to_frame(self, table)

    def __repr__(self) -> str:
        """Which run it is, and how many batches of it there are."""
        name = self.run.name or self.run.id or "an unnamed run"
        phases = ", ".join(_count_of(phase) for phase in self.phases) or "no phases"
        return f"<Baseline of {name!r} from {self.run.source}: {phases}>"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        """Return the page in a frame, which is what a notebook shows."""
        page: str = import_module("ocr_baseline").render(self, "html")
        frame: str = import_module("ocr_baseline.reports.page.notebook").framed(page)
        return frame

    def _repr_markdown_(self) -> str:
        """Return the report, which a notebook that shows no HTML shows."""
        # By name: the document stands below the renderers and imports none.
        text: str = import_module("ocr_baseline").render(self, "markdown")
        return text

    @property
    def whole_phases(self) -> list[Phase]:
        """The phase of each name that has one, in the order of the names."""
        return [phase for name in PHASE_NAMES if (phase := self.phase(name)) is not None]
