"""Which lines of the breakdown account for the change of a phase, in seconds per batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.comparison.designs import estimate
from ocr_baseline.comparison.summary import other_batches
from ocr_baseline.vocabulary import PHASE_NAMES

if TYPE_CHECKING:
    from ocr_baseline.comparison.estimation import Sides
    from ocr_baseline.comparison.summary import PhaseLines, RunSummary

NAMED_SHARE = 0.95
MAX_NAMED = 4


@dataclass(frozen=True, kw_only=True)
class LineChange:
    """A line on both sides, mean seconds per batch; None where no run on a side has the line.

    A breakdown accounts for all of a phase's time, so a line that only one side has contributes
    all of its time to the change. The interval is that of the change between the sides.
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


def phase_changes(
    levels: Mapping[str, Sequence[RunSummary]], sides: Sides
) -> tuple[PhaseChange, ...]:
    """Return the change of each phase that has a breakdown on both sides, in the phases' order.

    What a batch of another size takes accounts for nothing: such phases are left out.

    Args:
        levels: The base's runs at its latest level, by phase; all its latest where it has none.
        sides: The sides.
    """
    changes = []
    for phase in PHASE_NAMES:
        base = levels.get(phase, sides.base[-1])
        if other_batches(phase, base, sides.new) is not None:
            continue
        before = [_Measured.of(run, phase, sides) for run in base if phase in run.breakdowns]
        after = [_Measured.of(run, phase, sides) for run in sides.new if phase in run.breakdowns]
        if before and after:
            changes.append(_phase_change(phase, before, after))
    return tuple(changes)


@dataclass(frozen=True)
class _Measured:
    """The lines of a run, and its sitting."""

    lines: PhaseLines
    sitting: int

    @classmethod
    def of(cls, run: RunSummary, phase: str, sides: Sides) -> _Measured:
        return cls(run.breakdowns[phase], sides.sittings[run.content])


def _phase_change(phase: str, base: Sequence[_Measured], new: Sequence[_Measured]) -> PhaseChange:
    names = dict.fromkeys(name for run in (*base, *new) for name in run.lines.lines_s)
    lines = sorted(
        (_line_change(name, base, new) for name in names), key=lambda line: -abs(line.delta_s)
    )
    base_s = float(np.mean([run.lines.total_s for run in base]))
    new_s = float(np.mean([run.lines.total_s for run in new]))
    return PhaseChange(
        phase=phase, base_s=base_s, new_s=new_s, delta_s=new_s - base_s, lines=tuple(lines)
    )


def _line_change(name: str, base: Sequence[_Measured], new: Sequence[_Measured]) -> LineChange:
    found = estimate([_by_sitting(name, base)], _by_sitting(name, new))
    base_s, new_s = _mean_s(name, base), _mean_s(name, new)
    return LineChange(
        name=name,
        base_s=base_s,
        new_s=new_s,
        delta_s=(new_s or 0.0) - (base_s or 0.0),
        low_s=found.low,
        high_s=found.high,
    )


def _mean_s(name: str, runs: Sequence[_Measured]) -> float | None:
    if not any(name in run.lines.lines_s for run in runs):
        return None
    return float(np.mean([run.lines.lines_s.get(name, 0.0) for run in runs]))


def _by_sitting(name: str, runs: Sequence[_Measured]) -> dict[int, list[float]]:
    found: dict[int, list[float]] = {}
    for run in runs:
        found.setdefault(run.sitting, []).append(run.lines.lines_s.get(name, 0.0))
    return found
