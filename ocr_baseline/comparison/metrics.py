"""The table of what is compared: where a value stands, its unit, direction and margin.

Margins are the smallest change worth a verdict: 5% of a time, 1% of a peak of memory, 2 points of
a share, nothing of a count. Beside each stands an absolute floor, below which a change is not
worth a word however large it is in percent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import geometric_mean
from typing import TYPE_CHECKING, Literal

from ocr_baseline.vocabulary import PHASE_NAMES

if TYPE_CHECKING:
    from ocr_baseline.model.document import AcceleratorMemory, Baseline, Distribution, Phase

Better = Literal["lower", "higher"]
Scale = Literal["log", "linear"]

TIME_MARGIN = 0.05
MEMORY_MARGIN = 0.01
SHARE_MARGIN = 0.02
BATCH_TIME_FLOOR_S = 1e-4
SAMPLE_TIME_FLOOR_S = 1e-5
EPOCH_TIME_FLOOR_S = 1e-2
MEMORY_FLOOR_BYTES = 1024.0**2
WHOLE_RUN = "run.duration"
"""The key of the metric that the parts of a run add up to."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number of a run.

    `path` is its place in the document, as entries of `missing` name it. On the scale `log` a
    change is a ratio and `margin` a share of the base's value; on `linear` both are in the unit.
    `floor` is in the unit. `is_exact` marks counts that are the same in each run of the same code.
    `is_gated` metrics can fail a check by themselves.
    """

    key: str
    label: str
    path: str
    unit: str
    read: Callable[[Baseline], float | None]
    better: Better = "lower"
    scale: Scale = "log"
    margin: float = TIME_MARGIN
    floor: float = 0.0
    is_exact: bool = False
    is_gated: bool = False

    @cached_property
    def phase(self) -> str | None:
        """The phase that the metric is about, None for one of the whole run."""
        first = self.key.partition(".")[0]
        return first if first in PHASE_NAMES else None

    @property
    def name(self) -> str:
        """The key without its phase."""
        return self.key if self.phase is None else self.key.partition(".")[2]

    def margin_at(self, base: float) -> float:
        """Return the margin on the metric's scale for a base of this value."""
        if self.scale == "linear":
            return max(self.margin, self.floor)
        return math.log1p(max(self.margin, self.floor / base))

    def scaled(self, values: Sequence[float]) -> list[float]:
        """Return values in the unit on the metric's scale."""
        return [math.log(value) for value in values] if self.scale == "log" else list(values)

    def natural(self, change: float) -> float:
        """Return a change on the metric's scale as people read it: a share, or an amount."""
        return change if self.scale == "linear" else math.expm1(min(change, 700.0))

    def mean(self, values: Sequence[float]) -> float:
        """Return the geometric mean of values in the unit (the mean, on a linear scale)."""
        if self.scale == "linear" or min(values) <= 0:
            return math.fsum(values) / len(values)
        return math.exp(math.fsum(map(math.log, values)) / len(values))

    def is_worse(self, change: float) -> bool:
        """Whether a change is for the worse."""
        return (change > 0) == (self.better == "lower")


def _of_batches(
    phase: str, read: Callable[[Distribution], float | None]
) -> Callable[[Baseline], float | None]:
    """Return what reads a figure of a phase's batches.

    With several dataloaders it is the geometric mean of theirs: the median of batches of 40 and of
    80 ms may be either in runs of equal code, and is silent on a loader with few batches.
    """

    def of_baseline(baseline: Baseline) -> float | None:
        phases = [one for one in baseline.phases if one.name == phase]
        loaders = [one for one in phases if one.dataloader is not None]
        if len(loaders) < 2:
            whole = baseline.phase(phase)
            return None if whole is None else of_phase(whole)
        figures = [figure for one in loaders if (figure := of_phase(one)) is not None]
        if len(figures) < len(loaders):
            return None
        return geometric_mean(figures) if min(figures) > 0 else min(figures)

    def of_phase(one: Phase) -> float | None:
        return None if one.batch_time_s is None else read(one.batch_time_s)

    return of_baseline


def _phase_metrics(phase: str) -> Iterator[Metric]:
    def reader(read: Callable[[Phase], float | None]) -> Callable[[Baseline], float | None]:
        def of_baseline(baseline: Baseline) -> float | None:
            found = baseline.phase(phase)
            return None if found is None else read(found)

        return of_baseline

    path = f"phases.{phase}"
    yield Metric(
        key=f"{phase}.batch_time",
        label=f"{phase}: median batch",
        path=f"{path}.batch_time_s.median",
        unit="s",
        read=_of_batches(phase, lambda times: times.median),
        floor=BATCH_TIME_FLOOR_S,
        is_gated=True,
    )
    yield Metric(
        key=f"{phase}.batch_time_p95",
        label=f"{phase}: p95 batch",
        path=f"{path}.batch_time_s.p95",
        unit="s",
        read=_of_batches(phase, lambda times: times.p95),
        floor=BATCH_TIME_FLOOR_S,
    )
    yield Metric(
        key=f"{phase}.sample_time",
        label=f"{phase}: per sample",
        path=f"{path}.sample_time_s",
        unit="s",
        read=reader(lambda p: p.sample_time_s),
        floor=SAMPLE_TIME_FLOOR_S,
        is_gated=True,
    )
    yield Metric(
        key=f"{phase}.epoch_time",
        label=f"{phase}: epoch",
        path=f"{path}.epoch_time_s",
        unit="s",
        read=reader(lambda p: p.epoch_time_s),
        floor=EPOCH_TIME_FLOOR_S,
    )
    yield Metric(
        key=f"{phase}.throughput",
        label=f"{phase}: throughput",
        path=f"{path}.throughput_samples_per_s",
        unit="samples/s",
        read=reader(lambda p: p.throughput_samples_per_s),
        better="higher",
    )
    yield Metric(
        key=f"{phase}.data_wait",
        label=f"{phase}: waiting for data",
        path=f"{path}.breakdown",
        unit="share",
        read=reader(lambda p: line_share(p, "data_wait")),
        scale="linear",
        margin=SHARE_MARGIN,
    )


def _accelerator(
    read: Callable[[AcceleratorMemory], float | None],
) -> Callable[[Baseline], float | None]:
    def of_baseline(baseline: Baseline) -> float | None:
        accelerator = baseline.memory.accelerator if baseline.memory else None
        return None if accelerator is None else read(accelerator)

    return of_baseline


def _peak_rss(baseline: Baseline) -> float | None:
    use = baseline.memory.process_tree_rss_bytes if baseline.memory else None
    return None if use is None else use.peak


def _reserved_share(accelerator: AcceleratorMemory) -> float | None:
    if accelerator.reserved_peak_bytes is None or not accelerator.total_bytes:
        return None
    return accelerator.reserved_peak_bytes / accelerator.total_bytes


def _sample_ratio(baseline: Baseline) -> float | None:
    compared = baseline.train_vs_validation
    ratio = compared.sample_ratio if compared else None
    return None if ratio is None else ratio.value


def _memory_metric(
    key: str, label: str, path: str, read: Callable[[Baseline], float | None]
) -> Metric:
    return Metric(
        key=key,
        label=label,
        path=path,
        unit="bytes",
        read=read,
        margin=MEMORY_MARGIN,
        floor=MEMORY_FLOOR_BYTES,
        is_gated=True,
    )


METRICS: tuple[Metric, ...] = (
    *(metric for phase in PHASE_NAMES for metric in _phase_metrics(phase)),
    Metric(
        key="validation_over_training",
        label="validation over training",
        path="train_vs_validation.sample_ratio",
        unit="ratio",
        read=_sample_ratio,
    ),
    _memory_metric(
        "memory.peak_rss",
        "resident memory, peak",
        "memory.process_tree_rss_bytes.peak",
        _peak_rss,
    ),
    _memory_metric(
        "memory.accelerator_allocated",
        "allocated on the accelerator, peak",
        "memory.accelerator.allocated_peak_bytes",
        _accelerator(lambda memory: memory.allocated_peak_bytes),
    ),
    _memory_metric(
        "memory.accelerator_reserved",
        "reserved on the accelerator, peak",
        "memory.accelerator.reserved_peak_bytes",
        _accelerator(lambda memory: memory.reserved_peak_bytes),
    ),
    Metric(
        key="memory.accelerator_share",
        label="reserved on the accelerator, share",
        path="memory.accelerator.reserved_peak_bytes",
        unit="share",
        read=_accelerator(_reserved_share),
        scale="linear",
        margin=SHARE_MARGIN,
    ),
    Metric(
        key="memory.accelerator_ooms",
        label="failed allocations",
        path="memory.accelerator.ooms",
        unit="count",
        read=_accelerator(lambda memory: memory.ooms),
        scale="linear",
        margin=0.0,
        is_exact=True,
        is_gated=True,
    ),
    Metric(
        key=WHOLE_RUN,
        label="whole run",
        path="run.duration_s",
        unit="s",
        read=lambda baseline: baseline.run.duration_s,
        floor=EPOCH_TIME_FLOOR_S,
    ),
)
BY_KEY = {metric.key: metric for metric in METRICS}


def line_share(phase: Phase, line: str) -> float | None:
    """Return a line's share of the phase: 0 when a breakdown exists that has no such line.

    A breakdown accounts for all of a phase's time, so a line that it lacks took none.
    """
    if not phase.breakdown:
        return None
    found = next((entry for entry in phase.breakdown if entry.name == line), None)
    return 0.0 if found is None else found.share
