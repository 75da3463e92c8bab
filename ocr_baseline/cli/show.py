"""`ocr-baseline show`: a run on one or two screens of a terminal."""

from __future__ import annotations

import functools

import click

from ocr_baseline.cli import streams
from ocr_baseline.cli.newest import newest_below
from ocr_baseline.cli.options import ChosenRun, one_run
from ocr_baseline.errors import BaselineError
from ocr_baseline.reports.registry import RUN, TERMINAL


@click.command(name="show", short_help="Show a run's baseline in the terminal.")
@functools.partial(one_run, default=newest_below)
@click.option(
    "--follow", is_flag=True, help="Watch a running training: renewed once a second until it ends."
)
def command(run: ChosenRun, follow: bool) -> None:
    """Show RUN in the terminal.

    RUN is a folder, a baseline.json, a logger's file, csv:PATH, tensorboard:PATH, mlflow:ID,
    wandb:ID or a name in the store. Without RUN, the newest run below the current folder is shown.

    With --follow, RUN must be a folder with the profiler's records. Ctrl-C ends the view, not the
    training.
    """
    if follow:
        _follow(run)
        return
    baseline = run.read().baseline
    width, color = streams.stdout_width(), streams.stdout_has_color()
    streams.print_data(RUN[TERMINAL](baseline, width=width, color=color))


def _follow(run: ChosenRun) -> None:
    from ocr_baseline.cli import follow

    folder = run.records_folder()
    if folder is None:
        raise BaselineError("--follow needs a folder with the profiler's records")
    follow.follow(folder, run.how)
