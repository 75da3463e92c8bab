"""`ocr-baseline run` with --repeat or --against: what it prints, keeps and exits with."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.cli import streams
from ocr_baseline.cli.baseline import store_runs
from ocr_baseline.comparison.check import Check
from ocr_baseline.layout import unused
from ocr_baseline.places import Reading
from ocr_baseline.trials.arms import WARM_UP, Arm, Trial
from ocr_baseline.trials.in_turns import in_turns
from ocr_baseline.trials.outcome import closing_lines, outcome_of
from ocr_baseline.trials.patience import Patience
from ocr_baseline.trials.screen import Screen

if TYPE_CHECKING:
    from ocr_baseline.trials.outcome import Outcome
    from ocr_baseline.unchanged_script.request import Request


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was asked for.

    Attributes:
        commands: One command or two, by the name that its runs' folders begin with.
        repeats: How many runs of each.
        folder: Where they are put, in it or beside it where it holds runs already.
        asked: How baselines are made.
        wait_s: How long all pauses together may take.
        name: The name of the store under which runs of the first command are kept.
    """

    commands: Mapping[str, Sequence[str]]
    repeats: int
    folder: Path
    asked: Request
    wait_s: float
    name: str | None


def run_repeated(wanted: Wanted) -> int:
    """Run everything, print what came of it, and return the exit status of a check.

    Raises:
        BaselineError: When too few runs are left, or something can't be read or written.
    """
    folder = unused(wanted.folder, f"{WARM_UP}-0").absolute()
    how = Reading(progress=streams.progress, tell=streams.print_message)
    if wanted.name is not None:
        how.store.entries(wanted.name)  # what is wrong with it is told before hours of runs
    trials = _trials(wanted, folder)
    try:
        outcome = outcome_of(trials, how)
        _print(outcome, wanted)
    finally:
        for line in closing_lines(trials, folder):
            streams.print_message(line)
    if wanted.name is not None:
        first, *_ = wanted.commands
        kept = [one.folder for one in trials if one.arm == first and one.failure is None]
        store_runs(wanted.name, kept, how, is_accepted_change=False)
    return Check(comparison=outcome.comparison).exit_status(strict=False)


def _trials(wanted: Wanted, folder: Path) -> list[Trial]:
    arms = [Arm(name, command) for name, command in wanted.commands.items()]
    try:
        with Screen() as screen:
            return in_turns(
                arms,
                wanted.repeats,
                folder,
                asked=wanted.asked,
                patience=Patience(wanted.wait_s),
                watcher=screen,
            )
    except KeyboardInterrupt:
        streams.print_message(f"Stopped; the runs that ended are kept in {folder}")
        raise


def _print(outcome: Outcome, wanted: Wanted) -> None:
    lines = [f"{name}: {shlex.join(command)}\n" for name, command in wanted.commands.items()]
    width, color = streams.stdout_width(), streams.stdout_has_color()
    streams.print_data("".join([*lines, "\n", outcome.text(width=width, color=color)]))
