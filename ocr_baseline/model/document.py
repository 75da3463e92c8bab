"""The baseline document, version 1.0: what `baseline.json` holds, as pydantic models.

Names and nesting are a contract with other programs. Units are SI and stand in the name's suffix;
`None` means "not measured" and has an entry in `missing`; 0 is a measurement.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field, JsonValue

from ocr_baseline.model.document_phases import (
    BatchTimeScope,
    BreakdownLine,
    Count,
    DeviceTime,
    Distribution,
    DocumentModel,
    EpochSummary,
    FiniteFloat,
    MemoryUse,
    Operation,
    Phase,
    PhaseMemory,
    PhaseName,
    Ratio,
    TrainVsValidation,
    Utilization,
    Warmup,
    WaterfallStep,
    Workers,
)

__all__ = [
    "SCHEMA_NAME",
    "SCHEMA_VERSION",
    "AcceleratorMemory",
    "Baseline",
    "BatchTimeScope",
    "BreakdownLine",
    "Count",
    "DeviceTime",
    "Distribution",
    "DocumentModel",
    "Environment",
    "EpochSummary",
    "Evidence",
    "Finding",
    "FiniteFloat",
    "Generator",
    "Measurement",
    "Memory",
    "MemoryUse",
    "MissingMetric",
    "Operation",
    "Phase",
    "PhaseMemory",
    "PhaseName",
    "Rank",
    "RankPhase",
    "RankSpread",
    "Ratio",
    "RunSection",
    "Severity",
    "TrainVsValidation",
    "Utilization",
    "Warmup",
    "WaterfallStep",
    "Workers",
    "Workload",
]

SCHEMA_NAME: Literal["ocr-baseline"] = "ocr-baseline"
SCHEMA_VERSION = "1.0"

Severity = Literal["high", "medium", "low", "info"]


class Generator(DocumentModel):
    """The program that wrote the document."""

    name: str
    version: str


class RunSection(DocumentModel):
    """Which run was measured, and from where its numbers were read."""

    id: str | None = None
    name: str | None = None
    project: str | None = None
    entity: str | None = None
    url: str | None = None
    status: Literal["finished", "failed", "interrupted", "running", "unknown"] = "unknown"
    started_at: datetime | None = None
    duration_s: FiniteFloat | None = None
    source: Literal[
        "recorder", "logged-metrics", "wandb-api", "wandb-offline", "csv", "tensorboard", "mlflow"
    ]
    ended_by: str | None = None


class Workload(DocumentModel):
    """What ran: two runs compare only when their workloads agree."""

    config: dict[str, JsonValue] | None = None
    config_hash: str | None = None
    data_hash: str | None = None


class Environment(DocumentModel):
    """Where it ran: `identity` decides whether two runs compare, `volatile` does not."""

    identity: dict[str, JsonValue] = {}
    volatile: dict[str, JsonValue] = {}


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


class Finding(DocumentModel):
    """A cause that was measured, what it cost, and what to do about it."""

    id: str
    severity: Severity
    title: str
    evidence: list[Evidence]
    estimated_saving_s: FiniteFloat | None = None
    saving_basis: str | None = None
    advice: str


class Measurement(DocumentModel):
    """How the numbers were taken and what the taking cost.

    `overhead_s` is the profiler's own time in the main thread over all phases; `background_cpu_s`
    the processor time of its sampling thread, beside the run.
    """

    clock: str | None = None
    overhead_s: FiniteFloat | None = None
    overhead_share: FiniteFloat | None = None
    per_batch_overhead_s: FiniteFloat | None = None
    background_cpu_s: FiniteFloat | None = None
    warnings: list[str] = []
    notes: list[str] = []


class MissingMetric(DocumentModel):
    """A metric that has no value here, and why."""

    metric: str
    reason: Literal["not_collected", "unsupported", "failed", "skipped"]
    detail: str | None = None


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
    status: Literal["finished", "failed", "interrupted", "running", "unknown"] = "unknown"
    ended_by: str | None = None
    recorded_until_s: FiniteFloat | None = None
    lost_records: Count = 0
    phases: list[RankPhase] = []


class RankSpread(DocumentModel):
    """A metric of `ranks[].phases[]`, in seconds a batch, over the ranks."""

    phase: PhaseName
    metric: Literal["batch", "data_wait", "backward", "collectives", "own"]
    min: FiniteFloat
    min_rank: Count
    median: FiniteFloat
    max: FiniteFloat
    max_rank: Count


class Baseline(DocumentModel):
    """The whole document."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", allow_inf_nan=False, populate_by_name=True
    )

    schema_name: Literal["ocr-baseline"] = Field(default=SCHEMA_NAME, alias="schema")
    schema_version: str = SCHEMA_VERSION
    generated_at: datetime
    generator: Generator
    run: RunSection
    workload: Workload = Workload()
    environment: Environment = Environment()
    phases: list[Phase] = []
    operations: list[Operation] = []
    workers: list[Workers] = []
    train_vs_validation: TrainVsValidation | None = None
    memory: Memory | None = None
    findings: list[Finding] = []
    measurement: Measurement = Measurement()
    missing: list[MissingMetric] = []
    world_size: Count = 1
    ranks: list[Rank] = []
    rank_spreads: list[RankSpread] = []
    series: str | None = None

    def phase(self, name: str) -> Phase | None:
        """Return the phase of that name over all its dataloaders, or None when it did not run."""
        return next((p for p in self.phases if p.name == name and p.dataloader is None), None)
