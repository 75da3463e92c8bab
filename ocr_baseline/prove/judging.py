"""What trials measured of a setting beside the run as it is, and when it is out of the race."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ocr_baseline.comparison import intervals
from ocr_baseline.prove.candidates import WHOLE_RUN, Candidate, Saving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.analysis.measured import Measured

TURNS_BEFORE_DROPPING = 2
CLEARLY = 0.05
"""A setting is dropped when each of its first two trials takes 5% longer than each of the leader's.
Racing (Maron and Moore, 1994) takes an option out as soon as it can hardly win. Ranks alone would
put two of two equal settings in that order one time in six; the margin, which is what a setting may
miss the best by, is for that."""
MIN_TRIALS = 2


@dataclass
class Tried:
    """A setting and its trials so far; no candidate is the run as it is.

    Attributes:
        candidate: The setting, None for the run as it is.
        phases_s: Of each trial that counts: what each phase of the whole run takes by it.
        failures: Why other trials don't count.
        told: What the last trial told of its settings.
        why_not: Why the setting had no effect, None where it had.
        is_dropped: Whether it is clearly worse, and was not tried further.
        last: What the last trial measured.
    """

    candidate: Candidate | None
    phases_s: list[dict[str, float]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    why_not: str | None = None
    is_dropped: bool = False
    last: Measured | None = None

    @property
    def counts(self) -> bool:
        """Whether it was measured: often enough, and with its setting in effect."""
        return self.why_not is None and len(self.phases_s) >= MIN_TRIALS

    def times_s(self, phase: str = WHOLE_RUN) -> list[float]:
        """Return what a phase, or all of them, took in each trial."""
        if phase == WHOLE_RUN:
            return [sum(phases.values()) for phases in self.phases_s]
        return [phases[phase] for phases in self.phases_s if phase in phases]

    def mean_s(self, phase: str = WHOLE_RUN) -> float:
        """Return the mean over its trials."""
        return float(np.mean(self.times_s(phase)))


def leader_of(tried: Sequence[Tried]) -> Tried | None:
    """Return the setting with the fastest trial, None where none was measured.

    Other programs only ever slow a run, so of few trials the fastest tells most.
    """
    return min(
        (one for one in tried if one.counts), key=lambda one: min(one.times_s()), default=None
    )


def is_clearly_worse(one: Tried, leader: Tried) -> bool:
    """Whether all its trials took 5% longer than all of the leader's."""
    if one is leader or not one.counts:
        return False
    return min(one.times_s()) > (1 + CLEARLY) * max(leader.times_s())


def measured_saving(base: Tried, one: Tried, phase: str) -> Saving | None:
    """Return what a setting saves of a phase; None where unmeasured.

    The interval is Welch's at 95%, but no saving is more than the phase takes as it is.
    """
    before, after = base.times_s(phase), one.times_s(phase)
    if min(len(before), len(after)) < MIN_TRIALS:
        return None
    estimate = intervals.welch(before, after)
    low = estimate.change if estimate.high is None else estimate.high
    high = estimate.change if estimate.low is None else estimate.low
    return Saving(-estimate.change, -low, min(-high, base.mean_s(phase)))
