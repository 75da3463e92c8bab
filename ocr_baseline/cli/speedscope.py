"""`ocr-baseline speedscope`: a run's sampled call stacks for speedscope."""

from __future__ import annotations

from pathlib import Path

import click

from ocr_baseline.cli.options import ChosenRun, one_run, output_option, write_or_print
from ocr_baseline.errors import BaselineError
from ocr_baseline.reports.registry import SPEEDSCOPE


@click.command(name="speedscope", short_help="Export a run's sampled call stacks for speedscope.")
@one_run
@output_option("Write the profile to this file [default: stdout].")
def command(run: ChosenRun, output: Path | None) -> None:
    """Export the call stacks sampled in RUN, a folder with the profiler's records.

    Open the file at https://www.speedscope.app, which draws it in the browser and sends it nowhere.
    """
    found = run.read()
    if found.run is None:
        raise BaselineError(
            "a baseline.json holds no call stacks: name the folder with the profiler's records"
        )
    write_or_print(SPEEDSCOPE(found.run), output)
