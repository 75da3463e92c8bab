"""`ocr-baseline plot`: a run's page."""

from __future__ import annotations

from pathlib import Path

import click

from ocr_baseline.cli.options import ChosenRun, one_run, output_option, write_or_print
from ocr_baseline.layout import HTML_NAME
from ocr_baseline.reports.registry import RUN


@click.command(name="plot", short_help="Write a run's page: the whole report in one HTML file.")
@one_run
@output_option("Write the page to this file.", default=Path(HTML_NAME), show_default=True)
def command(run: ChosenRun, output: Path) -> None:
    """Write the page of RUN, which needs no network.

    Batch times and memory are drawn over time where RUN is a folder with the profiler's records.
    """
    found = run.read()
    write_or_print(RUN["html"].of_run(found.baseline, found.run), output)
