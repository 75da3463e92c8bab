"""What a source read of single batches that were looked into: a profile window, a count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.vocabulary import Stage


@dataclass(frozen=True, kw_only=True)
class WindowEntry:
    """Something that ran in a window: self time on the host, and of the kernels launched there."""

    name: str
    calls: int
    host_s: float
    device_s: float


@dataclass(frozen=True, kw_only=True)
class WindowWait:
    """A call that waited for the device; `place` is where in the code, None where unknown."""

    operator: str
    place: str | None
    calls: int
    host_s: float


@dataclass(frozen=True, kw_only=True)
class WindowEvent:
    """One event on one track; `start_s` counts from the run's start."""

    name: str
    track: str
    start_s: float
    duration_s: float


@dataclass(frozen=True, kw_only=True)
class WindowRecord:
    """A window of torch.profiler over some batches of a stage.

    `cost_s` is what opening, closing and reading it took; `device_busy_s` how long the device ran
    anything, None where no device was in use. Entries are the heaviest, events the longest.
    `why_no_stacks` says why there are no modules and no places; `left_out` later events were not
    read.
    """

    stage: Stage
    epoch: int
    batch_idx: int
    position: int
    batches: int
    start_s: float
    duration_s: float
    cost_s: float
    has_device: bool
    device_busy_s: float | None
    operators: Sequence[WindowEntry]
    kernels: Sequence[WindowEntry]
    modules: Sequence[WindowEntry]
    waits: Sequence[WindowWait]
    events: Sequence[WindowEvent]
    why_no_stacks: str | None = None
    left_out: int = 0


@dataclass(frozen=True, kw_only=True)
class FlopRecord:
    """The floating-point operations of one batch of a stage.

    `peak_flops_per_s` is what the device can do in the run's precision, None with the reason.
    """

    stage: Stage
    position: int
    samples: int | None
    flops: int
    peak_flops_per_s: float | None = None
    why_no_peak: str | None = None
