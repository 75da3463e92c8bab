"""What the accelerator waited for while it ran nothing.

How long it ran nothing is the driver's: 1 less the mean of the utilization that was sampled. What
for is told by the lines of the main thread:

- *data*: it was asked for a batch. The host's wait counts as the device's where only the host was
  timed. Where the device was, its own clock tells: nothing is queued between the marks around a
  fetch, so the time between them is what the device stood still for; a device that had work left
  over needs none of it.
- *beside*: it was in another line that queues no work of a step (callbacks, logging, checkpoints,
  metrics), at most for that long: what such a line queued of its own counts as idle.
- *host-bound*: what is left, at least 0. The main thread was in the lines that do queue work, and
  the device had done all of it before the next was there.

Nothing waits for the device to tell any of this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.model.document import AcceleratorIdle
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from ocr_baseline.model.document import BreakdownLine, Phase

QUEUEING_LINES = frozenset(
    {Line.TRANSFER.value, Line.FORWARD.value, Line.BACKWARD.value, Line.OPTIMIZER.value}
)
DATA_LINES = frozenset({Line.DATA_WAIT.value, Line.LOADER_STARTUP.value})


def with_accelerator_idle(phase: Phase) -> Phase:
    """Return the phase with the idle time of its accelerator, where the driver was asked."""
    use = phase.accelerator_utilization
    if use is None or not phase.breakdown:
        return phase
    idle = 1 - use.mean_percent / 100
    data = min(idle, _data_share(phase))
    beside = min(idle - data, sum(line.share or 0.0 for line in lines_beside(phase)))
    parts = AcceleratorIdle(
        share=idle,
        data_share=data,
        beside_share=beside,
        host_bound_share=max(idle - data - beside, 0.0),
    )
    return phase.model_copy(update={"accelerator_idle": parts})


def lines_beside(phase: Phase) -> list[BreakdownLine]:
    """Return the lines in which the main thread neither queues work nor waits for a batch."""
    return [line for line in phase.breakdown if line.name not in QUEUEING_LINES | DATA_LINES]


def device_data_wait_s(phase: Phase) -> float | None:
    """Return how long the device had nothing to do for want of a batch, None where not timed.

    That is the wait of the steady batches that the device's clock timed, for all of the phase's.
    """
    if phase.device is None or phase.batches is None:
        return None
    waits = [line for line in phase.device.breakdown if line.name == Line.DATA_WAIT.value]
    return (waits[0].per_batch_s or 0.0) * phase.batches if waits else None


def _data_share(phase: Phase) -> float:
    host_s = {line.name: line.total_s for line in phase.breakdown if line.name in DATA_LINES}
    timed_s = device_data_wait_s(phase)
    wait_s = host_s.get(Line.DATA_WAIT.value, 0.0)
    if timed_s is not None:
        wait_s = min(wait_s, timed_s)
    total_s = wait_s + host_s.get(Line.LOADER_STARTUP.value, 0.0)
    return total_s / phase.total_s if phase.total_s else 0.0
