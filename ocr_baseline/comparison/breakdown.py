"""Which lines of the breakdown account for the change of a phase, in seconds per batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.comparison.intervals import welch
from ocr_baseline.vocabulary import PHASE_NAMES

if TYPE_CHECKING:
    from ocr_baseline.comparison.summary import PhaseLines, RunSummary

MIN_RUNS_FOR_INTERVAL = 2
NAMED_SHARE = 0.95
MAX_NAMED = 4


@dataclass(frozen=True, kw_only=True)
class LineChange:
    """A line on both sides, mean seconds per batch; None where no run on a side has the line.

    A breakdown accounts for all of a phase's time, so a line that only one side has contributes
    all of its time to the change. The interval is that of the change between sets of runs.
    """

    name: str
    base_s: float | None
    new_s: float | None
    delta_s: float
    low_s: float | None = None
    high_s: float | None = None

    @property
    def is_beyond_spread(self) -> bool:
        """Whether the interval of the change leaves out 0."""
        return self.low_s is not None and self.high_s is not None and self.low_s * self.high_s > 0


@dataclass(frozen=True, kw_only=True)
class PhaseChange:
    """A phase's time per batch on both sides, and its lines, the largest change first.

    The deltas of the lines sum to `delta_s`.
    """

    phase: str
    base_s: float
    new_s: float
    delta_s: float
    lines: tuple[LineChange, ...]

    @property
    def main_lines(self) -> tuple[LineChange, ...]:
        """The fewest lines, four at most, that make up 95% of all movement."""
        moved_s = sum(abs(line.delta_s) for line in self.lines)
        named: list[LineChange] = []
        reached_s = 0.0
        for line in self.lines[:MAX_NAMED]:
            if reached_s >= NAMED_SHARE * moved_s or line.delta_s == 0:
                break
            named.append(line)
            reached_s += abs(line.delta_s)
        return tuple(named)


def phase_changes(base: Sequence[RunSummary], new: Sequence[RunSummary]) -> tuple[PhaseChange, ...]:
    """Return the change of each phase that has a breakdown on both sides, in the phases' order."""
    changes = []
    for phase in PHASE_NAMES:
        before = [run.breakdowns[phase] for run in base if phase in run.breakdowns]
        after = [run.breakdowns[phase] for run in new if phase in run.breakdowns]
        if before and after:
            changes.append(_phase_change(phase, before, after))
    return tuple(changes)


def _phase_change(phase: str, base: Sequence[PhaseLines], new: Sequence[PhaseLines]) -> PhaseChange:
    names = dict.fromkeys(name for run in (*base, *new) for name in run.lines_s)
    lines = sorted(
        (_line_change(name, base, new) for name in names), key=lambda line: -abs(line.delta_s)
    )
    base_s = float(np.mean([run.total_s for run in base]))
    new_s = float(np.mean([run.total_s for run in new]))
    return PhaseChange(
        phase=phase, base_s=base_s, new_s=new_s, delta_s=new_s - base_s, lines=tuple(lines)
    )


def _line_change(name: str, base: Sequence[PhaseLines], new: Sequence[PhaseLines]) -> LineChange:
    before = [run.lines_s.get(name, 0.0) for run in base]
    after = [run.lines_s.get(name, 0.0) for run in new]
    delta_s = float(np.mean(after) - np.mean(before))
    low_s = high_s = None
    if min(len(base), len(new)) >= MIN_RUNS_FOR_INTERVAL:
        estimate = welch(before, after)
        low_s, high_s = estimate.low, estimate.high
    return LineChange(
        name=name,
        base_s=float(np.mean(before)) if any(name in run.lines_s for run in base) else None,
        new_s=float(np.mean(after)) if any(name in run.lines_s for run in new) else None,
        delta_s=delta_s,
        low_s=low_s,
        high_s=high_s,
    )
