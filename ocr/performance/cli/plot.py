"""`ocr-baseline plot`: a run's pictures as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocr.performance.cli import inputs, streams
from ocr.performance.errors import SourceError

if TYPE_CHECKING:
    from ocr.performance.baseline import Baseline
    from ocr.performance.run import Run

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
    baseline, recorded = _read(run)
    from ocr.performance.documents import write_text_atomically
    from ocr.performance.renderers.pictures_page import render_pictures_page

    write_text_atomically(output, render_pictures_page(baseline, recorded))
    streams.print_message(f"Wrote {output}")


def _read(path: Path) -> tuple[Baseline, Run | None]:
    if path.is_dir():
        from ocr.performance.analysis import analyze
        from ocr.performance.sources import recorder

        try:
            recorder.find_records(path)
        except SourceError:
            return inputs.baseline_of_folder(path), None
        recorded = recorder.load(path)
        return analyze(recorded), recorded
    return inputs.baseline_of_path(path), None
