"""Trials on stderr: a bar with the time left on a terminal, else one line for each run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.plain_text import message_line
from ocr_baseline.trials.arms import OUTPUT_NAME

if TYPE_CHECKING:
    from types import TracebackType

    from ocr_baseline.trials.arms import Trial, Turn

LINES_SHOWN = 15
"""So many last lines of its output are shown of a run that failed."""
LINE_LENGTH = 1_000
"""So many letters of a line are shown."""
TAIL_BYTES = 100_000
"""So much of the end of its output is read for them: a log may be larger than the memory."""


class Screen:
    """A watcher that shows everything on stderr, while it is entered."""

    def __init__(self) -> None:
        """Show nothing yet."""
        self._console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}", markup=False),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None, left="")

    def __enter__(self) -> Screen:
        """Begin to show."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the lines that were printed, without the bar."""
        self._bar.stop()

    def begins(self, turn: Turn, done: int, total: int, left_s: float | None) -> None:
        """Show which run goes on."""
        self._bar.update(
            self._task,
            description=f"run {turn.name}",
            completed=done,
            total=total,
            left=_left(left_s),
        )

    def ended(self, trial: Trial, done: int, total: int, left_s: float | None) -> None:
        """Print a line; of a run that failed, the last ones of its output too."""
        self._bar.update(self._task, completed=done, left=_left(left_s))
        if trial.failure is None:
            took, canary = map(formatting.duration, (trial.took_s, trial.canary_s))
            left = f", {_left(left_s)}" if left_s else ""
            self.told(
                f"{done} of {total}: {trial.name} took {took} (fixed work first: {canary}){left}"
            )
            return
        self.told(f"{done} of {total}: {trial.name} doesn't count: it {trial.failure}")
        for line in _last_lines(trial):
            self._console.print(f"  {message_line(line)}")

    def told(self, message: str) -> None:
        """Print a line."""
        self._console.print(message_line(message))


def _left(left_s: float | None) -> str:
    return f"about {formatting.whole_seconds(left_s)} left" if left_s else ""


def _last_lines(trial: Trial) -> list[str]:
    try:
        with (trial.folder / OUTPUT_NAME).open("rb") as log:
            log.seek(max(log.seek(0, os.SEEK_END) - TAIL_BYTES, 0))
            text = log.read(TAIL_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return []
    return [line[:LINE_LENGTH] for line in text.strip().splitlines()[-LINES_SHOWN:]]
