"""The trials: what the run speaks for, then what the best trial speaks for, then what is left."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ocr_baseline.analysis.analyze import measure
from ocr_baseline.errors import BaselineError
from ocr_baseline.prove.candidates import MOST_LATER
from ocr_baseline.prove.effect import obstacle, told_in
from ocr_baseline.prove.judging import (
    TURNS_BEFORE_DROPPING,
    Tried,
    is_clearly_worse,
    leader_of,
)
from ocr_baseline.prove.later_candidates import later_candidates
from ocr_baseline.prove.shape import projected_s
from ocr_baseline.records.reader import load
from ocr_baseline.trials.arms import WARM_UP, Arm
from ocr_baseline.trials.in_turns import StoppedError, in_turns
from ocr_baseline.unchanged_script.request import Request
from ocr_baseline.unchanged_script.settings import Settings
from ocr_baseline.vocabulary import PHASES, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ocr_baseline.prove.candidates import Candidate
    from ocr_baseline.prove.shape import StageShape
    from ocr_baseline.trials.arms import Trial, Turn
    from ocr_baseline.trials.patience import Patience
    from ocr_baseline.trials.watching import Watcher
    from ocr_baseline.unchanged_script.settings import Limits

AS_IT_IS = "as-it-is"
LIMIT_TIMES = 5
LEAST_LIMIT_S = 60.0
"""A trial of a setting is ended when it takes five times as long as the longest of the run as it
is, and at least a minute. One that hangs, as at a lock that a forked worker waits for, must not
hold up the others, and what takes so long isn't the best."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is tried, on which command, how long.

    Attributes:
        command: The command of the run.
        candidates: What the run speaks for.
        shapes: How much of each stage the run has.
        limits: How long a trial is.
        turns: How often what isn't dropped is tried.
    """

    command: Sequence[str]
    candidates: Sequence[Candidate]
    shapes: Mapping[Stage, StageShape]
    limits: Limits
    turns: int


def most_trials(settings: int, turns: int) -> int:
    """Return how many trials so many settings can take, the run as it is and a warm-up included."""
    return 1 + (1 + settings + MOST_LATER) * turns


@dataclass
class Trying:
    """The trials of a plan, as they go on; `runner` makes them, `is_stopped` after Ctrl-C."""

    plan: Plan
    into: Path
    runner: Callable[..., list[Trial]] = in_turns
    patience: Patience | None = None
    watcher: Watcher | None = None
    tried: dict[str, Tried] = field(default_factory=dict)
    is_stopped: bool = False
    _rounds: int = 0
    _took_s: list[float] = field(default_factory=list)

    def run(self) -> list[Tried]:
        """Make all trials; return the run as it is, and then each setting.

        Ctrl-C leaves it at those that were made, once the run as it is and a setting were measured.

        Raises:
            BaselineError: When the run as it is can't be tried.
        """
        try:
            self._try_all()
        except KeyboardInterrupt:
            self.is_stopped = True
            base, *others = self.tried.values()
            if not base.counts or not any(one.counts for one in others):
                raise
        return list(self.tried.values())

    def _try_all(self) -> None:
        base = self._enter(AS_IT_IS, None)
        first = [self._enter(one.name, one) for one in self.plan.candidates]
        self._take_turns([base, *first], TURNS_BEFORE_DROPPING, warm_ups=1)
        if len(base.phases_s) == 1:  # the only other arm was given up before its second turn
            self._take_turns([base], 1)
        if not base.counts:
            raise BaselineError(f"the command as it is can't be tried: {_why_none(base)}")
        later = [self._enter(one.name, one) for one in later_candidates(list(self.tried.values()))]
        if later:
            self._take_turns(later, TURNS_BEFORE_DROPPING)
        self._drop(base)
        rest = [one for one in self.tried.values() if one.counts and not one.is_dropped]
        if len(rest) > 1 and self.plan.turns > TURNS_BEFORE_DROPPING:
            self._take_turns(rest, self.plan.turns - TURNS_BEFORE_DROPPING)

    def _enter(self, name: str, candidate: Candidate | None) -> Tried:
        return self.tried.setdefault(name, Tried(candidate))

    def _take_turns(self, what: Sequence[Tried], turns: int, *, warm_ups: int = 0) -> None:
        self._rounds += 1
        stopped: StoppedError | None = None
        try:
            trials = self.runner(
                [self._arm(one) for one in what],
                turns,
                self.into / f"round-{self._rounds}",
                warm_ups=warm_ups,
                limit=self._limit_s,
                asked=Request(sampling_hz=0.0),
                patience=self.patience,
                watcher=self.watcher,
            )
        except StoppedError as error:
            trials, stopped = list(error.trials), error
        for trial in trials:
            self._take(trial)
        if stopped is not None:
            raise stopped

    def _limit_s(self, turn: Turn, before: Sequence[Trial]) -> float | None:
        """Return how long a trial of a setting may take, by those of the run as it is."""
        if turn.arm.name == AS_IT_IS or turn.is_warm_up:
            return None
        as_it_is = [trial.took_s for trial in before if trial.arm in {AS_IT_IS, WARM_UP}]
        took_s = [*self._took_s, *as_it_is]
        return max(LIMIT_TIMES * max(took_s), LEAST_LIMIT_S) if took_s else None

    def _arm(self, tried: Tried) -> Arm:
        settings = Settings() if tried.candidate is None else tried.candidate.settings
        name = AS_IT_IS if tried.candidate is None else tried.candidate.name
        limits = self._limits(settings)
        # A trial isn't a run to keep at a server, whoever asks for one there.
        environment = {"WANDB_MODE": "offline", **replace(settings, limits=limits).environment()}
        return Arm(name, self.plan.command, environment)

    def _limits(self, settings: Settings) -> Limits:
        """Return the limits of a trial: larger batches of validation are fewer."""
        limits, size = self.plan.limits, settings.validation.batch_size
        shape = self.plan.shapes.get(Stage.VALIDATION)
        if size is None or shape is None or shape.samples is None or not limits.validation_batches:
            return limits
        samples = limits.validation_batches * shape.samples / shape.batches
        return replace(limits, validation_batches=max(math.ceil(samples / size), 1))

    def _take(self, trial: Trial) -> None:
        tried = self.tried[trial.arm]
        if trial.arm == AS_IT_IS:
            self._took_s.append(trial.took_s)
        if trial.failure is not None:
            tried.failures.append(trial.failure)
            return
        try:
            measured = tried.last = measure(load(trial.baseline))
        except BaselineError as error:
            tried.failures.append(f"left records that can't be read: {error}")
            return
        tried.told = told_in(trial.folder)
        if tried.candidate is not None and tried.why_not is None:
            tried.why_not = obstacle(tried.candidate.settings, tried.told, measured)
        phases_s: dict[str, float] = {
            PHASES[stage]: projected_s(measured.times[stage], shape)
            for stage, shape in self.plan.shapes.items()
            if stage in measured.times and len(measured.times[stage].durations_s)
        }
        if len(phases_s) == len(self.plan.shapes):
            tried.phases_s.append(phases_s)
        else:
            missing = [stage.value for stage in self.plan.shapes if stage.value not in phases_s]
            tried.failures.append(f"ran without a batch of {' and '.join(missing)}")

    def _drop(self, base: Tried) -> None:
        """Take out what is clearly worse than the leader; the run as it is stays beside it."""
        leader = leader_of(list(self.tried.values()))
        for one in self.tried.values():
            if leader is not None and one is not base:
                one.is_dropped = is_clearly_worse(one, leader)


def _why_none(tried: Tried) -> str:
    return f"it {tried.failures[-1]}" if tried.failures else "too few of its trials count"
