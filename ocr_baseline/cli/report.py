"""`ocr-baseline report`: a run's report as Markdown, JSON and CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocr_baseline.cli import streams
from ocr_baseline.cli.run_options import RunChoice, run_options
from ocr_baseline.reports.registry import RUN

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline


@click.command(name="report", short_help="Write a run's report as Markdown, JSON and CSV.")
@run_options
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the Markdown here [default: stdout].",
)
@click.option(
    "--export-json",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the baseline document here too.",
)
@click.option(
    "--export-csv",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write every number in long form here too.",
)
def command(
    run: RunChoice, output: Path | None, export_json: Path | None, export_csv: Path | None
) -> None:
    """Write the report of a run: of BASELINE, or of the run that one of the options names.

    BASELINE is a baseline.json, or a folder that holds one or a run's records.
    """
    _check_outputs(output, export_json, export_csv)
    _write(run.baseline(), output, export_json, export_csv)


def _check_outputs(*paths: Path | None) -> None:
    given = [path.absolute() for path in paths if path is not None]
    if len(set(given)) < len(given):
        raise click.UsageError("--output, --export-json and --export-csv need a file each.")


def _write(
    baseline: Baseline, output: Path | None, export_json: Path | None, export_csv: Path | None
) -> None:
    # The renderers are imported once there is a run: a wrong argument gets its answer at once.
    from ocr_baseline.files import write_text_atomically

    for path, name in ((output, "markdown"), (export_json, "json"), (export_csv, "csv")):
        if path is not None:
            write_text_atomically(path, RUN[name](baseline))
            streams.print_message(f"Wrote {path}")
    if output is None:
        streams.print_data(RUN["markdown"](baseline))
