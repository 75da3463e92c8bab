"""`ocr-baseline plot`: a run's pictures as one HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from ocr_baseline.cli.options import ChosenRun, one_run, output_option, write_or_print
from ocr_baseline.reports.registry import RUN

PAGE_NAME = "baseline.html"


@click.command(name="plot", short_help="Draw a run: one HTML page of pictures.")
@one_run
@output_option("Write the page here.", default=Path(PAGE_NAME), show_default=True)
def command(run: ChosenRun, output: Path) -> None:
    """Draw RUN as a page that needs no network.

    Batch times and memory are drawn over time where RUN is a folder with the profiler's records.
    """
    found = run.read()
    write_or_print(RUN["html"](found.baseline, run=found.run), output)
