"""What trials came to: the runs that count, and the comparison of two arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.errors import TrialsError
from ocr_baseline.measure.canary import BUSY_EXCESS
from ocr_baseline.places import Reading, read_one
from ocr_baseline.reports.registry import COMPARISON, REPEATED, TERMINAL
from ocr_baseline.reports.text.plain_text import counted
from ocr_baseline.trials.arms import OUTPUT_NAME, Trial
from ocr_baseline.vocabulary import PHASE_NAMES

if TYPE_CHECKING:
    from ocr_baseline.comparison.comparison import Comparison
    from ocr_baseline.comparison.summary import RunSummary

ON_PURPOSE = ("*",)
"""Two arms run in turns on one machine: what differs between them is what the user changed."""
OTHER_BATCHES = (
    "the sides' batches differ in size: the times per sample decide, not those per batch"
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The runs that count, by arm in the order in which arms first ran.

    `comparison` is that of the second arm with the first; None of one arm.
    """

    runs: Mapping[str, Sequence[RunSummary]]
    comparison: Comparison | None

    def text(self, *, width: int, color: bool) -> str:
        """Return what is shown of it on a screen."""
        if self.comparison is not None:
            return COMPARISON[TERMINAL](self.comparison, width=width, color=color)
        (runs,) = self.runs.values()
        return REPEATED(runs, width=width, color=color)


def outcome_of(trials: Sequence[Trial], how: Reading) -> Outcome:
    """Return what the trials of one arm or of two came to, without those that failed.

    Raises:
        TrialsError: When too few runs are left: none of one arm, or fewer than two of each.
        BaselineError: When a baseline can't be read.
    """
    names = list(dict.fromkeys(trial.arm for trial in trials))
    by_arm = {name: [trial for trial in trials if trial.arm == name] for name in names}
    for own in by_arm.values():
        _require(own, min(len(own), 2) if len(names) > 1 else 1)
    runs = {
        name: [_summary(trial, how) for trial in own if trial.failure is None]
        for name, own in by_arm.items()
    }
    return Outcome(runs=runs, comparison=_compare(*runs.values()) if len(names) > 1 else None)


def closing_lines(trials: Sequence[Trial], into: Path) -> list[str]:
    """Return what is told at the end: where the runs are, what disturbed them, what to do next."""
    from ocr_baseline.comparison.calibration import MIN_RUNS

    lines = [f"Runs and their baselines: {into}"]
    failed = [trial.name for trial in trials if trial.failure is not None]
    if failed:
        lines.append(f"Left out, because they failed: {', '.join(failed)}")
    warning = busy_warning(trials)
    if warning is not None:
        lines.append(warning)
    names = list(dict.fromkeys(trial.arm for trial in trials))
    patterns = [f"'{into}/{name}-*'" for name in names]
    if len(names) > 1:
        sides = " -- ".join(patterns)
        lines.append(f"Compare again: ocr-baseline compare {sides} --across '*'")
    elif len(trials) - len(failed) >= MIN_RUNS:
        lines.append(f"To keep this machine's spread: ocr-baseline calibrate {patterns[0]}")
    return lines


def busy_warning(trials: Sequence[Trial]) -> str | None:
    """Return a sentence if other work slowed the machine down during some of the runs."""
    slowest = max(trials, key=lambda trial: trial.canary_s)
    excess = slowest.canary_s / min(trial.canary_s for trial in trials) - 1
    if excess <= BUSY_EXCESS:
        return None
    return (
        f"The machine was busy: the same fixed work took up to {excess:.0%} longer than at best "
        f"(before {slowest.name}). Stop other programs and repeat."
    )


def _require(trials: Sequence[Trial], at_least: int) -> None:
    """Refuse an arm of which too few runs count."""
    failed = [trial for trial in trials if trial.failure is not None]
    left = len(trials) - len(failed)
    if left >= at_least:
        return
    raise TrialsError(
        f"{left} of {counted(len(trials), 'run')} of {trials[0].arm} ended well, too few to say "
        f"anything: {failed[0].name} {failed[0].failure}. "
        f"See {failed[0].folder / OUTPUT_NAME}, and repeat when it works"
    )


def _compare(base: Sequence[RunSummary], new: Sequence[RunSummary]) -> Comparison:
    from ocr_baseline.comparison.comparison import compare
    from ocr_baseline.comparison.metrics import METRICS
    from ocr_baseline.comparison.options import Options
    from ocr_baseline.comparison.summary import other_batches

    if all(other_batches(phase, base, new) is None for phase in PHASE_NAMES):
        return compare(base, new, Options(across=ON_PURPOSE))
    gates = [one.key for one in METRICS if one.is_gated and one.name != "batch_time"]
    found = compare(base, new, Options(across=ON_PURPOSE, gates=tuple(gates)))
    return replace(found, notes=(*found.notes, OTHER_BATCHES))


def _summary(trial: Trial, how: Reading) -> RunSummary:
    from ocr_baseline.comparison.summary import summarize

    return summarize(read_one(trial.folder, how).baseline, trial.name)
