"""`ocr-baseline show`: a run on one or two screens of a terminal."""

from __future__ import annotations

import click

from ocr_baseline.cli import streams
from ocr_baseline.cli.run_options import RunChoice, run_options
from ocr_baseline.reports.registry import RUN, TERMINAL


@click.command(name="show", short_help="Show a run's baseline in the terminal.")
@run_options
def command(run: RunChoice) -> None:
    """Show a run: BASELINE, or the run that one of the options names.

    BASELINE is a baseline.json, or a folder that holds one or a run's records.
    """
    baseline = run.baseline()
    width, color = streams.stdout_width(), streams.stdout_has_color()
    streams.print_data(RUN[TERMINAL](baseline, width=width, color=color))
