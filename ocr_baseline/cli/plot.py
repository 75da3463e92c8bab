"""`ocr-baseline plot`: a run's pictures as one HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from ocr_baseline.cli import inputs, streams
from ocr_baseline.reports.registry import RUN

PAGE_NAME = "baseline.html"


@click.command(name="plot", short_help="Draw a run: one HTML page of pictures.")
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path(PAGE_NAME),
    show_default=True,
    metavar="FILE",
    help="Write the page here.",
)
def command(run: Path, output: Path) -> None:
    """Draw RUN, a run's folder or a baseline.json, as a page that needs no network.

    Batch times and memory are drawn over time where the profiler's records are in the folder.
    """
    if run.is_dir():
        baseline, recorded = inputs.read_folder(run)
    else:
        baseline, recorded = inputs.baseline_of_path(run), None
    from ocr_baseline.files import write_text_atomically

    write_text_atomically(output, RUN["html"](baseline, run=recorded))
    streams.print_message(f"Wrote {output}")
