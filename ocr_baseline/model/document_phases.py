"""The parts of the baseline document that describe stages: phases, operations, workers, ratios."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""A whole number that every reader can hold: more is no count of anything in a run."""

PhaseName = Literal["train", "validation", "test", "predict"]
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


class BreakdownLine(DocumentModel):
    """One line of a phase's time: `share` of the phase's total, mean seconds a batch.

    `parts` splits `callbacks` by callback class; a part is in its line's total already.
    """

    name: str
    total_s: FiniteFloat
    share: FiniteFloat | None
    per_batch_s: FiniteFloat | None
    parts: list[BreakdownLine] = []


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
    """One epoch of a phase."""

    epoch: Count | None
    batches: Count | None
    total_s: FiniteFloat | None
    batch_time_s: Distribution | None


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
    """

    samples: Count
    mean_percent: FiniteFloat
    min_percent: FiniteFloat
    max_percent: FiniteFloat


class Phase(DocumentModel):
    """One stage of the run (one dataloader of it, where it has several).

    `batch_time_s` covers the steady batches, or those of `batch_time_scope` where that says so.
    A batch's time runs from asking for it to asking for the next. `epoch_time_s` and
    `sample_time_s` divide everything that the phase took by its epochs and by its samples.
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
    epoch_time_s: FiniteFloat | None = None
    sample_time_s: FiniteFloat | None = None
    throughput_samples_per_s: FiniteFloat | None = None
    breakdown: list[BreakdownLine] = []
    device: DeviceTime | None = None
    memory: PhaseMemory | None = None
    accelerator_utilization: Utilization | None = None
    per_epoch: list[EpochSummary] = []


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


class Workers(DocumentModel):
    """The data-loader workers of one phase.

    `busy_s` is the time that all of them together spent making batches, `unnamed_s` the part of
    it in no named operation, `waited_s` the part of it that the main thread waited for. A
    worker's start-up runs from asking for the process to its being ready for a batch.
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
