"""What a rule is: a function from what was measured to findings, or to a reason to stay silent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ocr_baseline.analysis.findings.kind import MIN_STEADY_BATCHES
from ocr_baseline.model.document import Evidence, Finding

if TYPE_CHECKING:
    from ocr_baseline.analysis.findings.kind import Kind
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Phase


@dataclass(frozen=True)
class Silence:
    """A rule that can't judge this run, and why; shown under how the report was measured."""

    rule: str
    reason: str


Rule: TypeAlias = "Callable[[Measured], Iterable[Finding | Silence]]"


def steady_batches(phase: Phase) -> int:
    """Return how many of a phase's batches are steady: none where nothing was set aside."""
    if phase.batch_time_s is None or phase.batch_time_scope != "steady batches":
        return 0
    return phase.batch_time_s.count or 0


def too_few_batches(
    kind: Kind, phase: Phase, needed: int = MIN_STEADY_BATCHES, steady: int | None = None
) -> Silence | None:
    """Return why a recorded phase is too short to judge, None when it is not.

    Args:
        kind: What would be found.
        phase: The phase.
        needed: Steady batches that the rule needs.
        steady: Steady batches that there are, where a rule looks at a part of the phase.
    """
    steady = steady_batches(phase) if steady is None else steady
    if steady >= needed:
        return None
    return Silence(
        kind.id,
        f"{phase.name} has {steady} steady batch{'' if steady == 1 else 'es'}, {needed} needed",
    )


def share_of(phase: Phase, seconds: float) -> float:
    """Return a time as a share of its phase, 0 where the phase's own time is unknown."""
    return seconds / phase.total_s if phase.total_s else 0.0


def title(words: str, *, by: str | None = None) -> str:
    """Return a title that begins with a capital and ends in what is most of it, where known.

    Args:
        words: What was found.
        by: The names of what is most of it, quoted.
    """
    return words[:1].upper() + words[1:] + ("" if by is None else f", mostly in {by}")


def quoted(name: str) -> str:
    """Return a name as a sentence holds it: between single backticks, without any of its own.

    A renderer shows it letter by letter, so that no underscore of it becomes markup.
    """
    return f"`{name.replace('`', chr(39))}`"


def share_evidence(phase: Phase, line: str, share: float) -> Evidence:
    """Return a line's share of a phase as evidence."""
    return Evidence(metric=f"phases.{phase.name}.breakdown.{line}.share", value=share, unit="share")


def seconds_evidence(metric: str, value_s: float) -> Evidence:
    """Return a time as evidence."""
    return Evidence(metric=metric, value=value_s, unit="s")


def bytes_evidence(metric: str, value_bytes: float) -> Evidence:
    """Return an amount of memory as evidence."""
    return Evidence(metric=metric, value=value_bytes, unit="bytes")


def count_evidence(metric: str, value: int) -> Evidence:
    """Return a count as evidence."""
    return Evidence(metric=metric, value=float(value), unit="count")
