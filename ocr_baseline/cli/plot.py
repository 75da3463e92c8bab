"""`ocr-baseline plot`: a run's pictures as one HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from ocr_baseline.cli.options import ChosenRun, file_option, one_run, write_or_print

PAGE_NAME = "baseline.html"


@click.command(name="plot", short_help="Draw a run: one HTML page of pictures.")
@one_run
@file_option("--output", "Write the page here.", default=Path(PAGE_NAME), show_default=True)
def command(run: ChosenRun, output: Path) -> None:
    """Draw RUN as a page that needs no network.

    Batch times and memory are drawn over time where RUN is a folder with the profiler's records.
    """
    found = run.read()
    from ocr_baseline.reports.run.pictures_page import render_pictures_page

    write_or_print(render_pictures_page(found.baseline, found.run), output)
