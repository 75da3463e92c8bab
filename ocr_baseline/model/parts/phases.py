"""The phases in the document, and training beside validation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ocr_baseline.model.parts.base import Count, Distribution, DocumentModel, FiniteFloat
from ocr_baseline.model.parts.breakdown import BreakdownLine
from ocr_baseline.model.parts.memory import PhaseMemory
from ocr_baseline.model.parts.window import Flops
from ocr_baseline.vocabulary import PhaseName

if TYPE_CHECKING:
    from collections.abc import Iterable


BatchTimeScope = Literal["steady batches", "all batches", "last logged epoch"]


class Warmup(DocumentModel):
    """The batches that totals include and statistics leave out, and the rule that chose them."""

    batches: Count
    total_s: FiniteFloat | None
    rule: str


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


class AcceleratorIdle(DocumentModel):
    """The share of a phase in which the accelerator ran nothing, and what it waited for then.

    The three parts sum to `share`: for the next batch; beside the steps, while the main thread was
    in other lines that queue none of their work; and for the host within the steps, which queued
    their work too late.
    """

    share: FiniteFloat
    data_share: FiniteFloat
    beside_share: FiniteFloat
    host_bound_share: FiniteFloat


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
    time of all threads of the training's process, loader workers not counted. Its main thread ran
    for `thread_s` of it, and stood ready for a core that others had, threads of its own among
    them, for `queued_s`.
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
    accelerator_idle: AcceleratorIdle | None = None
    flops: Flops | None = None
    garbage_collections: Count | None = None
    garbage_s: FiniteFloat | None = None
    read_bytes: FiniteFloat | None = None
    disk_read_bytes: FiniteFloat | None = None
    disk_wait_s: FiniteFloat | None = None
    cpu_s: FiniteFloat | None = None
    thread_s: FiniteFloat | None = None
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
