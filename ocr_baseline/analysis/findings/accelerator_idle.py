"""How long the accelerator was idle in a phase, and what the main thread did beside its steps.

The driver tells in which share of the time any kernel ran, once a second. While the main thread is
in a line that queues no work (waiting for data, metrics, checkpoints), an idle device is that
line's; the rest of the idle time falls into the lines that do queue work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.rule import Silence
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from ocr_baseline.analysis.findings.kind import Kind
    from ocr_baseline.model.document import BreakdownLine, Phase, Utilization

QUEUEING_LINES = (
    Line.TRANSFER.value,
    Line.FORWARD.value,
    Line.BACKWARD.value,
    Line.OPTIMIZER.value,
)


@dataclass(frozen=True, kw_only=True)
class IdleTime:
    """Shares of a phase's time in which the accelerator ran nothing.

    `in_steps` is what is left once every second beside the queueing lines counts as idle, at
    least 0; `in_steps_low` is the same at the upper end of the utilization's margin.
    """

    in_steps: float
    in_steps_low: float


def idle_time(phase: Phase) -> IdleTime | None:
    """Return the idle time of the accelerator, None where it wasn't measured."""
    use = phase.accelerator_utilization
    if use is None or use.mean_high_percent is None or not phase.breakdown:
        return None
    away = sum(line.share or 0.0 for line in _lines_beside(phase))
    return IdleTime(
        in_steps=max(1 - use.mean_percent / 100 - away, 0.0),
        in_steps_low=max(1 - use.mean_high_percent / 100 - away, 0.0),
    )


def _lines_beside(phase: Phase) -> list[BreakdownLine]:
    return [line for line in phase.breakdown if line.name not in QUEUEING_LINES]


def heaviest_beside(phase: Phase) -> BreakdownLine | None:
    """Return the heaviest line in which the main thread queues no work of a step."""
    return max(_lines_beside(phase), key=lambda line: line.total_s, default=None)


def is_in_steps(phase: Phase) -> bool:
    """Whether more of the idle time falls into the steps than the heaviest line beside takes."""
    idle, beside = idle_time(phase), heaviest_beside(phase)
    return idle is not None and (beside is None or idle.in_steps > (beside.share or 0.0))


def queueing_lines(phase: Phase) -> list[str]:
    """Return the queueing lines of a phase as findings name them."""
    return [f"{phase.name}.{line.name}" for line in phase.breakdown if line.name in QUEUEING_LINES]


def too_few_samples(kind: Kind, phase: Phase, use: Utilization) -> Silence | None:
    """Return why a phase's utilization can't be judged, None when it can."""
    needed = int(kind["samples"])
    if use.samples >= needed:
        return None
    return Silence(
        kind.id,
        f"{phase.name} has {use.samples} samples of the accelerator's utilization, {needed} needed",
    )
