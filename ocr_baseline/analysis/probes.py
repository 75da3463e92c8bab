"""Single batches that were looked into, as the document tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.model.document import Flops, ProfiledCode, ProfiledWait, ProfileWindow
from ocr_baseline.model.run import Missing
from ocr_baseline.vocabulary import PHASES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ocr_baseline.model.document import Phase
    from ocr_baseline.model.run import Run
    from ocr_baseline.model.window import WindowEntry


def profile_window(run: Run) -> ProfileWindow | None:
    """Return the window of torch.profiler, None where there was none."""
    window = run.profile_window
    if window is None or window.stage not in PHASES:
        return None
    return ProfileWindow(
        phase=PHASES[window.stage],
        epoch=window.epoch,
        batch_idx=window.batch_idx,
        batches=window.batches,
        duration_s=window.duration_s,
        cost_s=window.cost_s,
        why_no_stacks=window.why_no_stacks,
        left_out=window.left_out,
        device_busy_s=window.device_busy_s,
        operators=_code(window.operators),
        kernels=_code(window.kernels),
        modules=_code(window.modules),
        waits=[
            ProfiledWait(
                operator=wait.operator, place=wait.place, calls=wait.calls, host_s=wait.host_s
            )
            for wait in (window.waits if window.has_device else ())
        ],
    )


def with_flops(phase: Phase, run: Run) -> Phase:
    """Return the phase with its floating-point operations, where a batch of it was counted.

    What a count over one batch says of others holds where they are alike: it is the batch's own
    number over the mean time of the steady ones.
    """
    counted = run.flops
    if counted is None or PHASES.get(counted.stage) != phase.name or phase.dataloader is not None:
        return phase
    mean_s = None if phase.batch_time_s is None else phase.batch_time_s.mean
    per_s = counted.flops / mean_s if mean_s else None
    peak = counted.peak_flops_per_s
    flops = Flops(
        flops_per_batch=counted.flops,
        samples=counted.samples,
        flops_per_s=per_s,
        peak_flops_per_s=peak,
        mfu=per_s / peak if per_s is not None and peak else None,
    )
    return phase.model_copy(update={"flops": flops})


def missing_of_probes(run: Run) -> Iterator[Missing]:
    """Say why a share of the device's peak isn't known where operations were counted."""
    counted = run.flops
    if counted is not None and counted.peak_flops_per_s is None and counted.stage in PHASES:
        yield Missing(
            metric=f"phases.{PHASES[counted.stage]}.flops.mfu",
            reason="unsupported",
            detail=counted.why_no_peak,
        )


def _code(entries: Iterable[WindowEntry]) -> list[ProfiledCode]:
    return [
        ProfiledCode(name=one.name, calls=one.calls, host_s=one.host_s, device_s=one.device_s)
        for one in entries
    ]
