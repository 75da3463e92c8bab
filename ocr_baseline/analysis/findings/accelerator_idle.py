"""The idle time of the accelerator, as several rules look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.accelerator_idle import QUEUEING_LINES
from ocr_baseline.analysis.findings.rule import Silence

if TYPE_CHECKING:
    from ocr_baseline.analysis.findings.kind import Kind
    from ocr_baseline.model.document import BreakdownLine, Phase, Utilization


def heaviest_beside(phase: Phase) -> BreakdownLine | None:
    """Return the heaviest line in which the main thread queues no work of a step."""
    beside = [line for line in phase.breakdown if line.name not in QUEUEING_LINES]
    return max(beside, key=lambda line: line.total_s, default=None)


def is_in_steps(phase: Phase) -> bool:
    """Whether more of the idle time falls into the steps than the heaviest line beside takes."""
    idle, beside = phase.accelerator_idle, heaviest_beside(phase)
    return idle is not None and (beside is None or idle.host_bound_share > (beside.share or 0.0))


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
