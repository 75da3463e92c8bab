"""`ocr-baseline trace`: a whole run on one axis of time, for Perfetto."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocr_baseline.cli import streams
from ocr_baseline.cli.newest import newest_below
from ocr_baseline.cli.options import ChosenRun, one_run, output_option
from ocr_baseline.errors import BaselineError
from ocr_baseline.files import write_parts_atomically
from ocr_baseline.reports.registry import TRACE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.model.rank_run import RankRun
    from ocr_baseline.model.run import Run


@click.command(name="trace", short_help="Export a run as a trace for Perfetto.")
@functools.partial(one_run, default=newest_below)
@output_option("Write the trace to this file [default: stdout].")
def command(run: ChosenRun, output: Path | None) -> None:
    """Export RUN, a folder with the profiler's records, as a trace of the whole run.

    Without RUN, the newest run below the current folder is exported. Open the file at
    https://ui.perfetto.dev, which reads it in the browser and sends it nowhere, or in
    chrome://tracing.
    """
    found = run.read()
    if found.run is None:
        raise BaselineError(
            "a baseline.json holds no batches: name the folder with the profiler's records"
        )
    parts = TRACE.parts(found.run, _other_ranks(run, found.run))
    if output is None:
        for part in parts:
            streams.print_data(part)
    else:
        write_parts_atomically(output, parts)
        streams.print_message(f"Wrote {output}")


def _other_ranks(chosen: ChosenRun, run: Run) -> Iterator[RankRun]:
    from ocr_baseline.records.rank_runs import rank_runs

    folder = chosen.records_folder()
    if folder is not None:
        yield from rank_runs(folder, [one.rank for one in run.ranks if one.rank > 0])
