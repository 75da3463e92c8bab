"""The live view of a run, for `ocr-baseline show --follow`: from its records, once a second."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.cli import streams
from ocr_baseline.errors import BaselineError
from ocr_baseline.places import Place, read
from ocr_baseline.records.following import Following
from ocr_baseline.reports.registry import PROGRESS, PROGRESS_LINE
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ocr_baseline.model.document import Baseline
    from ocr_baseline.model.progress import Progress
    from ocr_baseline.places import Reading

LOOK_EVERY_S = 1.0
LOOKS_A_LINE = 10
"""How many looks a log's line stands for, unless the stage or the epoch is another."""
GONE_AFTER_S = 600.0
"""A run that wrote nothing for so long was killed, or hangs: memory is sampled more often."""
STEADY_BATCHES = 50
MOST_JUDGED_BYTES = 64 * 1024 * 1024
"""Records that are read as a whole for a verdict: some 400,000 batches, in a second or two."""


def follow(folder: Path, how: Reading, wait: Callable[[float], None] = time.sleep) -> None:
    """Show how far the run is until it ends; Ctrl-C ends the view alone.

    Args:
        folder: The folder of the records.
        how: How runs are read.
        wait: Lets that many seconds pass.

    Raises:
        BaselineError: The records can't be read.
    """
    following, verdict = Following(folder), _Verdict(folder, how)
    try:
        with _screen() as show:
            progress = following.catch_up()
            while not (progress.has_ended or _is_gone(following)) or following.is_behind:
                if not following.is_behind:
                    show(progress, verdict.early(progress, following.size_bytes))
                    wait(LOOK_EVERY_S)
                progress = following.catch_up()
            show(progress, verdict.last(following.size_bytes))
    except KeyboardInterrupt:
        return
    if not progress.has_ended:
        streams.print_message(
            f"{folder}: nothing was written for {GONE_AFTER_S / 60:.0f} min: the run was killed "
            "or hangs; ocr-baseline show has what it recorded"
        )


def _is_gone(following: Following) -> bool:
    return following.written_at > 0 and time.time() - following.written_at > GONE_AFTER_S


@dataclass
class _Verdict:
    """What can be said of the run so far: once early, and once at its end."""

    folder: Path
    how: Reading
    text: str = f"An early verdict follows after {STEADY_BATCHES} steady batches."
    is_due_at: int | None = STEADY_BATCHES

    def early(self, progress: Progress, size_bytes: int) -> str:
        """Return the verdict on the first steady batches, or when there is one."""
        train = progress.stage_totals(Stage.TRAIN)
        if self.is_due_at is None or train is None or train.batches < self.is_due_at:
            return self.text
        baseline = self._baseline(size_bytes)
        if baseline is None:
            self.is_due_at = None
            return self.text
        steady = _steady_batches(baseline)
        if steady < STEADY_BATCHES:
            # Each epoch's first batch is set aside, so more are needed than are missing.
            self.is_due_at = train.batches + max(STEADY_BATCHES - steady, train.batches // 4)
            return self.text
        self.is_due_at = None
        self.text = f"After {steady:,} steady batches: {_words(baseline)}"
        return self.text

    def last(self, size_bytes: int) -> str:
        """Return the verdict on all that was recorded."""
        baseline = self._baseline(size_bytes)
        return self.text if baseline is None else _words(baseline)

    def _baseline(self, size_bytes: int) -> Baseline | None:
        if size_bytes > MOST_JUDGED_BYTES:
            self.text = "The run is too long to be judged while it is followed."
            return None
        try:
            return read(Place(kind="recorder", value=str(self.folder)), self.how).baseline
        except BaselineError:  # the next look says what it is
            return None


def _steady_batches(baseline: Baseline) -> int:
    phases = (phase for phase in baseline.whole_phases if phase.name == "train")
    return sum(
        (phase.batches or 0) - (0 if phase.warmup is None else phase.warmup.batches)
        for phase in phases
    )


def _words(baseline: Baseline) -> str:
    from ocr_baseline.reports.story.verdict import verdict

    return verdict(baseline)


@contextmanager
def _screen() -> Iterator[Callable[[Progress, str], None]]:
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        yield _Log().show
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    color = streams.stdout_has_color()
    console = Console(no_color=not color, highlight=False)
    with Live(console=console, auto_refresh=False) as live:

        def show(progress: Progress, verdict: str) -> None:
            width = streams.stdout_width()
            text = PROGRESS(progress, verdict=verdict, width=width, color=color)
            live.update(Text.from_ansi(text), refresh=True)

        yield show


class _Log:
    """Lines for what isn't a terminal: as something changes, and now and then."""

    def __init__(self) -> None:
        self._looks = 0
        self._shown: tuple[object, ...] = ()
        self._verdict = ""

    def show(self, progress: Progress, verdict: str) -> None:
        """Print a line unless the last one still does."""
        from ocr_baseline.reports.text.screen import styled

        state = (progress.stage, progress.epoch, progress.has_ended)
        self._looks += 1
        if state != self._shown or self._looks >= LOOKS_A_LINE:
            streams.print_data(PROGRESS_LINE(progress))
            self._looks, self._shown = 0, state
        if verdict != self._verdict:
            streams.print_data(f"{styled(verdict).plain}\n")
            self._verdict = verdict
