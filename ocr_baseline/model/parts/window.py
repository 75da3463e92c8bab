"""Single batches that were looked into, in the document."""

from __future__ import annotations

from ocr_baseline.model.parts.base import Count, DocumentModel, FiniteFloat
from ocr_baseline.vocabulary import PhaseName


class ProfiledCode(DocumentModel):
    """An operator, a kernel or a module in a window.

    `host_s` is self time on the host, `device_s` that of the kernels which were launched there.
    """

    name: str
    calls: Count
    host_s: FiniteFloat
    device_s: FiniteFloat


class ProfiledWait(DocumentModel):
    """A call that waited for the device; `place` is the innermost function of the user's around."""

    operator: str
    place: str | None
    calls: Count
    host_s: FiniteFloat


class ProfileWindow(DocumentModel):
    """What torch.profiler saw of some batches of a phase, which are in no statistic.

    `cost_s` is what opening, closing and reading the window took. `device_busy_s` is how long the
    device ran anything, None where no device was in use; `waits` are told there alone. The lists
    are the heaviest, at most 20 of each. `why_no_stacks` says why there are no modules and no
    places; `left_out` later events were not read.
    """

    phase: PhaseName
    epoch: Count
    batch_idx: Count
    batches: Count
    duration_s: FiniteFloat
    cost_s: FiniteFloat
    why_no_stacks: str | None = None
    left_out: Count = 0
    device_busy_s: FiniteFloat | None = None
    operators: list[ProfiledCode] = []
    kernels: list[ProfiledCode] = []
    modules: list[ProfiledCode] = []
    waits: list[ProfiledWait] = []


class Flops(DocumentModel):
    """The floating-point operations of a phase, from one batch of it that was counted.

    `flops_per_s` divides those of the batch by the mean time of a steady batch. `mfu` is that over
    `peak_flops_per_s`, what the device can do in the run's precision by Lightning's table; None
    where that isn't known.
    """

    flops_per_batch: Count
    samples: Count | None = None
    flops_per_s: FiniteFloat | None = None
    peak_flops_per_s: FiniteFloat | None = None
    mfu: FiniteFloat | None = None
