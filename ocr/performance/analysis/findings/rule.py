"""What a rule is: a function from what was measured to findings, or to a reason to stay silent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ocr.performance.baseline import Evidence, Finding

if TYPE_CHECKING:
    from ocr.performance.analysis.measured import Measured
    from ocr.performance.baseline import Phase


@dataclass(frozen=True)
class Silence:
    """A rule that can't judge this run, and why; shown under how the report was measured."""

    rule: str
    reason: str


Rule: TypeAlias = "Callable[[Measured], Iterable[Finding | Silence]]"


def share_evidence(phase: Phase, line: str, share: float) -> Evidence:
    """Return a line's share of a phase as evidence."""
    return Evidence(metric=f"phases.{phase.name}.breakdown.{line}.share", value=share, unit="share")


def seconds_evidence(metric: str, value_s: float) -> Evidence:
    """Return a time as evidence."""
    return Evidence(metric=metric, value=value_s, unit="s")


def count_evidence(metric: str, value: int) -> Evidence:
    """Return a count as evidence."""
    return Evidence(metric=metric, value=float(value), unit="count")
