"""`in_turns`: arms run in turns, each run in a fresh process with a baseline of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.comparison.sides import UNFINISHED
from ocr_baseline.errors import BaselineError, TrialsError
from ocr_baseline.files import write_text_atomically
from ocr_baseline.layout import BASELINE_FOLDER, JSON_NAME, TRIAL_VARIABLE, document_in
from ocr_baseline.measure.canary import canary_s
from ocr_baseline.reports.text.plain_text import counted
from ocr_baseline.trials.arms import OUTPUT_NAME, WARM_UP, Arm, Trial, Turn, turns
from ocr_baseline.trials.patience import Patience
from ocr_baseline.trials.process import run_logged
from ocr_baseline.trials.watching import Nobody, Watcher, time_left_s
from ocr_baseline.unchanged_script.request import Request

if TYPE_CHECKING:
    from ocr_baseline.vocabulary import RunStatus

RECORD_NAME = "trials.json"
Limit = Callable[[Turn, Sequence[Trial]], float | None]
"""Says how many seconds a run may take, by those before it; None for any."""
TRIES = 2
"""So often an arm may fail before its first success."""


class StoppedError(KeyboardInterrupt):
    """Ctrl-C; `trials` are those that had ended, without warm-ups."""

    def __init__(self, trials: Sequence[Trial]) -> None:
        super().__init__()
        self.trials = trials


def in_turns(
    arms: Sequence[Arm],
    repeats: int,
    into: Path,
    *,
    warm_ups: int = 1,
    limit: Limit | None = None,
    asked: Request | None = None,
    patience: Patience | None = None,
    watcher: Watcher | None = None,
) -> list[Trial]:
    """Run arms in turns (A B B A ...), each run in a fresh process; return all but the warm-ups.

    A run that failed is told to the watcher and returned with its `failure`; the others go on. An
    arm that has failed twice and never succeeded isn't run again, and nothing is once no two arms
    are left. `trials.json` in the folder tells of every run as soon as it has ended.

    Args:
        arms: What takes turns.
        repeats: How many runs of each.
        into: Gets a folder for each run: `a-0`, `b-0`, `b-1`, ...
        warm_ups: Runs of the first arm before all others, which fill caches and don't count.
        limit: How long a run may take; one that takes longer is ended, and has failed.
        asked: How baselines are made; each run has its own `output_dir`.
        patience: How long to wait for a free machine.
        watcher: Hears what goes on.

    Raises:
        TrialsError: When there is nothing to run, when runs are in the folder already, or when a
            warm-up run failed.
        StoppedError: At Ctrl-C.
    """
    into = into.absolute()  # a command may change its working folder
    planned = turns(arms, repeats, warm_ups)
    _refuse_used(into, planned)
    run = _Runs(
        arms=arms,
        planned=planned,
        into=into,
        limit=limit,
        asked=asked or Request(),
        patience=patience or Patience(),
        watcher=watcher or Nobody(),
    )
    try:
        run.all()
    except KeyboardInterrupt as error:
        raise StoppedError(run.that_count()) from error
    return run.that_count()


@dataclass(kw_only=True)
class _Runs:
    """The runs of one `in_turns`, as far as they were made."""

    arms: Sequence[Arm]
    planned: Sequence[Turn]
    into: Path
    limit: Limit | None
    asked: Request
    patience: Patience
    watcher: Watcher
    trials: list[Trial] = field(default_factory=list)

    def that_count(self) -> list[Trial]:
        """Return all but the warm-ups."""
        return [trial for trial in self.trials if trial.arm != WARM_UP]

    def all(self) -> None:
        """Make all runs."""
        for done, turn in enumerate(self.planned):
            tried = [arm for arm in self.arms if not _is_given_up(arm, self.trials)]
            if len(tried) < min(len(self.arms), 2):
                break
            if turn.arm in tried:
                rest = [other for other in self.planned[done:] if other.arm in tried]
                self._make(turn, done, rest)

    def _make(self, turn: Turn, done: int, rest: Sequence[Turn]) -> None:
        trials, watcher, total = self.trials, self.watcher, len(self.planned)
        self.patience.wait(watcher.told)
        watcher.begins(turn, done, total, time_left_s(trials, rest))
        limit_s = None if self.limit is None else self.limit(turn, trials)
        trial = _run(turn, self.into / turn.name, self.asked, limit_s)
        trials.append(trial)
        try:
            _write_record(self.into, trials)
        except BaselineError as error:  # what has been measured counts all the same
            watcher.told(str(error))
        watcher.ended(trial, done + 1, total, time_left_s(trials, rest[1:]))
        if turn.is_warm_up and trial.failure is not None:
            output = trial.folder / OUTPUT_NAME
            where = f"; its output is in {output}" if output.exists() else ""
            raise TrialsError(f"the warm-up run {trial.failure}, so nothing else was run{where}")
        if _is_given_up(turn.arm, trials):
            watcher.told(f"{turn.arm.name} has failed {TRIES} times, so it isn't run again")


def _refuse_used(into: Path, planned: Sequence[Turn]) -> None:
    """Refuse a folder with runs, whose baselines would be taken for those of the new ones."""
    used = [turn.name for turn in planned if (into / turn.name).exists()]
    if used:
        raise TrialsError(f"{into} holds a run {used[0]} already; name another folder")


def _is_given_up(arm: Arm, trials: Sequence[Trial]) -> bool:
    own = [trial.failure for trial in trials if trial.arm == arm.name]
    return len(own) >= TRIES and None not in own


def _run(turn: Turn, folder: Path, asked: Request, limit_s: float | None) -> Trial:
    seen = folder / "a-trainer-was-made"
    request = replace(asked, output_dir=folder / BASELINE_FOLDER, seen=seen)
    environment = {**turn.arm.environment, **request.environment(), TRIAL_VARIABLE: str(folder)}
    canary = canary_s()
    began = time.perf_counter()
    failure = _no_place(folder)
    if failure is None:
        try:
            status = run_logged(turn.arm.command, environment, folder / OUTPUT_NAME, limit_s)
            failure = _failure(status, limit_s)
        except OSError as error:
            failure = f"can't start {turn.arm.command[0]}: {error.strerror or error}"
    took_s = time.perf_counter() - began
    failure = failure or _no_baseline(folder, seen)
    with suppress(OSError):
        seen.unlink()
    return Trial(
        arm=WARM_UP if turn.is_warm_up else turn.arm.name,
        number=turn.number,
        folder=folder,
        took_s=took_s,
        canary_s=canary,
        failure=failure,
    )


def _no_place(folder: Path) -> str | None:
    """Make the folder of a run and its log; return why they can't be made, None where they can."""
    try:
        folder.mkdir(parents=True)
        (folder / OUTPUT_NAME).touch()
    except OSError as error:
        reason = error.strerror or error
        return f"wasn't started: its output can't be written to {folder}: {reason}"
    return None


def _failure(status: int | None, limit_s: float | None) -> str | None:
    if status is None:
        return f"took longer than {limit_s:.0f} s and was ended"
    if status < 0:
        return f"was ended by signal {-status}"
    return f"exited with status {status}" if status else None


def _no_baseline(folder: Path, seen: Path) -> str | None:
    """Return what is wrong with the baseline of a run that ended well, None where nothing is."""
    document = document_in(folder)
    if document is None and not seen.exists():
        return "made no Trainer; is ocr-baseline installed in the environment that it runs in?"
    if document is None:
        jobs = len(list(folder.glob(f"{BASELINE_FOLDER}/[0-9]*/{JSON_NAME}")))
        if jobs:
            return (
                f"left {counted(jobs, 'baseline')} of a Hydra sweep's jobs in {folder}, and none "
                "of its own: repeat a single job"
            )
        return f"made a Trainer, but left no baseline in {folder}"
    try:
        status = _status(document)
    except BaselineError as error:
        return f"left a baseline that can't be read: {error}"
    return f"ended with a training that is {status}" if status in UNFINISHED else None


def _status(document: Path) -> RunStatus:
    from ocr_baseline.model.document_file import read_baseline

    return read_baseline(document).run.status


def _write_record(into: Path, trials: Sequence[Trial]) -> None:
    from ocr_baseline.model.json_text import json_text

    told = [asdict(trial) | {"folder": trial.name} for trial in trials]
    write_text_atomically(into / RECORD_NAME, json_text({"runs": told}))
