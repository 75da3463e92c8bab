"""`ocr-baseline show`: a run on one or two screens of a terminal."""

from __future__ import annotations

import click

from ocr_baseline.cli import streams
from ocr_baseline.cli.options import ChosenRun, one_run_or_newest
from ocr_baseline.reports.registry import RUN, TERMINAL


@click.command(name="show", short_help="Show a run's baseline in the terminal.")
@one_run_or_newest
def command(run: ChosenRun) -> None:
    """Show RUN in the terminal.

    RUN is a folder, a baseline.json, a logger's file, csv:PATH, tensorboard:PATH, mlflow:ID,
    wandb:ID or a name in the store. Without RUN, it is the newest below the current folder.
    """
    baseline = run.read().baseline
    width, color = streams.stdout_width(), streams.stdout_has_color()
    streams.print_data(RUN[TERMINAL](baseline, width=width, color=color))
