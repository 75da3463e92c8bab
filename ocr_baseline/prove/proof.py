"""What came of the trials: each setting's prediction beside its measurement, and the best one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ocr_baseline.model.document import SMALL_SHARE_OF_RUN
from ocr_baseline.prove.candidates import WHOLE_RUN, Candidate, NotTried, Saving
from ocr_baseline.prove.judging import Tried, measured_saving
from ocr_baseline.prove.paste import lines_to_paste

if TYPE_CHECKING:
    from collections.abc import Sequence


UNLIKE = 1.25
"""Trials by which the run takes so many times what it took, or the reverse, aren't like it."""

Verdict = Literal["better", "none better", "inconclusive", "none measured"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A setting: what it was said to save of its phase, and what it saved.

    Attributes:
        candidate: The setting.
        phase_s: What the phase takes as it is, by its trials; None where none counts.
        measured: What the setting saves of it; None where it wasn't measured.
        trials: How many trials count.
        why_not: Why it wasn't measured, None where it was.
        is_dropped: Whether it was clearly worse after two trials.
    """

    candidate: Candidate
    phase_s: float | None
    measured: Saving | None
    trials: int
    why_not: str | None
    is_dropped: bool


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Everything that was tried.

    Attributes:
        outcomes: Each setting that was tried.
        run_s: What training and validation of the run take as it is, by its trials.
        recorded_s: What they took in the run itself.
        best: The setting to take; None where none is better than the run as it is.
        saving: What the best saves of the run.
        lines: The best setting as lines of code.
        not_tried: What wasn't tried, and why.
    """

    outcomes: Sequence[Outcome]
    run_s: float
    recorded_s: float | None
    best: Candidate | None
    saving: Saving | None
    lines: Sequence[str]
    not_tried: Sequence[NotTried]

    @property
    def is_like_the_run(self) -> bool:
        """Whether the run takes by its trials about what it took."""
        if not self.recorded_s or self.run_s <= 0:
            return True
        return 1 / UNLIKE <= self.run_s / self.recorded_s <= UNLIKE

    @property
    def verdict(self) -> Verdict:
        """Whether a setting is better, none is, the trials vary too much, or none was measured."""
        if self.best is not None:
            return "better"
        if all(one.measured is None for one in self.outcomes):
            return "none measured"
        worth_s = SMALL_SHARE_OF_RUN * self.run_s
        # An interval that reaches what is worth a headline leaves the question open.
        may_save = any(
            one.measured is not None and not one.is_dropped and one.measured.high_s >= worth_s
            for one in self.outcomes
        )
        return "inconclusive" if may_save else "none better"


def proof_of(
    tried: Sequence[Tried], not_tried: Sequence[NotTried], recorded_s: float | None = None
) -> Proof:
    """Return what the trials proved; the first of them is the run as it is."""
    base, *others = tried
    best, saving = _best(base, others)
    candidate = best.candidate
    outcomes = [_outcome(base, one) for one in others]
    obstacles = [
        NotTried(one.candidate.name, one.why_not) for one in outcomes if one.why_not is not None
    ]
    return Proof(
        outcomes=outcomes,
        run_s=base.mean_s(),
        recorded_s=recorded_s,
        best=candidate,
        saving=saving,
        lines=[] if candidate is None else lines_to_paste(candidate.settings, best.told),
        not_tried=[*obstacles, *not_tried],
    )


def _best(base: Tried, others: Sequence[Tried]) -> tuple[Tried, Saving | None]:
    """Return, of the settings that save time for sure, the one that saves most, and how much.

    Where none does, it is the run as it is.
    """
    best, most = base, None
    for one in others:
        saving = measured_saving(base, one, WHOLE_RUN) if one.counts else None
        if saving is None or saving.low_s <= 0:
            continue
        if most is None or saving.value_s > most.value_s:
            best, most = one, saving
    return best, most


def _outcome(base: Tried, one: Tried) -> Outcome:
    candidate: Any = one.candidate
    measured = measured_saving(base, one, candidate.phase) if one.counts else None
    return Outcome(
        candidate=candidate,
        phase_s=base.mean_s(candidate.phase) if base.times_s(candidate.phase) else None,
        measured=measured,
        trials=len(one.phases_s),
        why_not=_why_not(one) if measured is None else None,
        is_dropped=one.is_dropped,
    )


def _why_not(one: Tried) -> str:
    if one.why_not is not None:
        return one.why_not
    return f"its trials failed: it {one.failures[-1]}" if one.failures else "too few trials"
