"""Time in a loader's sampler: the main process reads it, whatever number of workers there is.

A loader reads the indices of a batch and then has the batch made of them. Only the making goes to
workers. How the wait divides between the two isn't timed; sampled stacks say it, as a share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ocr_baseline.analysis.functions.cause import MIN_TICKS
from ocr_baseline.analysis.measured import line_of
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Phase

MOST = 0.5
"""From so much of the wait on, it is the sampler that is waited for."""


class SamplerTime(NamedTuple):
    """The sampled share of a line in the sampler, and its seconds with their 95% margin."""

    share: float
    total_s: float
    low_s: float


def share_in_sampler(measured: Measured, phase: str, line: Line) -> float:
    """Return the sampled share of a line in which the sampler was read; 0 without samples."""
    sampled = measured.sampled.get((phase, line.value))
    return 0.0 if sampled is None else sampled.in_sampler.share


def time_in_sampler_s(measured: Measured, phase: Phase) -> float:
    """Return the seconds of the wait for batches in which the sampler was read."""
    line = line_of(phase, Line.DATA_WAIT.value)
    total_s = 0.0 if line is None else line.total_s
    return total_s * share_in_sampler(measured, phase.name, Line.DATA_WAIT)


def sampler_waited_for(measured: Measured, phase: Phase) -> SamplerTime | None:
    """Return the time in the sampler where it is most of the wait for batches, else None.

    None as well where too few samples were taken of the wait to say so.
    """
    line = line_of(phase, Line.DATA_WAIT.value)
    sampled = measured.sampled.get((phase.name, Line.DATA_WAIT.value))
    if line is None or sampled is None or sampled.ticks < MIN_TICKS:
        return None
    found = sampled.in_sampler
    operations_s = sum(part.total_s for part in measured.loader_operations(phase))
    total_s = found.share * line.total_s
    if total_s < MOST * (line.total_s + operations_s):
        return None
    return SamplerTime(found.share, total_s, found.low * line.total_s)
