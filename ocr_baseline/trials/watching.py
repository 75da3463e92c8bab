"""What someone who waits for trials is shown, and how long the rest will take."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.trials.arms import Trial, Turn


class Watcher(Protocol):
    """Hears what goes on; `left_s` is how long the rest will take, None while nobody knows."""

    def begins(self, turn: Turn, done: int, total: int, left_s: float | None) -> None:
        """Hear that a run begins, after `done` of `total`."""

    def ended(self, trial: Trial, done: int, total: int, left_s: float | None) -> None:
        """Hear how a run ended; `done` of `total` are over."""

    def told(self, message: str) -> None:
        """Hear a sentence."""


class Nobody:
    """Watches nothing."""

    def begins(self, turn: Turn, done: int, total: int, left_s: float | None) -> None:
        """Hear nothing."""

    def ended(self, trial: Trial, done: int, total: int, left_s: float | None) -> None:
        """Hear nothing."""

    def told(self, message: str) -> None:
        """Hear nothing."""


def time_left_s(trials: Sequence[Trial], to_come: Sequence[Turn]) -> float | None:
    """Return how long the rest will take: as long as the runs of the same arm took, else as any.

    None before the first run has ended.
    """
    if not trials:
        return None
    overall_s = statistics.fmean(trial.took_s for trial in trials)
    of_arm: dict[str, list[float]] = {}
    for trial in trials:
        of_arm.setdefault(trial.arm, []).append(trial.took_s)
    return sum(statistics.fmean(of_arm.get(turn.arm.name, [overall_s])) for turn in to_come)
