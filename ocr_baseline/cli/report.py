"""`ocr-baseline report`: a run's report as Markdown, JSON, CSV or HTML."""

from __future__ import annotations

from pathlib import Path

import click

from ocr_baseline.cli import streams
from ocr_baseline.cli.options import (
    ChosenRun,
    check_outputs,
    chosen_format,
    file_option,
    format_option,
    one_run,
    output_option,
    write_or_print,
)
from ocr_baseline.places import FoundRun
from ocr_baseline.reports.registry import RUN, Renderer


@click.command(name="report", short_help="Write a run's report as Markdown, JSON, CSV or HTML.")
@one_run
@format_option(RUN, "markdown")
@output_option("Write the report to this file [default: stdout].")
@file_option("--export-json", text="Also write the baseline document to this file.")
@file_option("--export-csv", text="Also write every number, in long form, to this file.")
def command(
    run: ChosenRun,
    format_name: str | None,
    output: Path | None,
    export_json: Path | None,
    export_csv: Path | None,
) -> None:
    """Write the report of RUN.

    RUN is a folder, a baseline.json, a logger's file, csv:PATH, tensorboard:PATH, mlflow:ID,
    wandb:ID or a name in the store.
    """
    check_outputs(output=output, export_json=export_json, export_csv=export_csv)
    renderer = chosen_format(RUN, format_name, output, "markdown")
    found = run.read()
    write_or_print(_rendered(renderer, found, output), output)
    for path, name in ((export_json, "json"), (export_csv, "csv")):
        if path is not None:
            write_or_print(RUN[name](found.baseline), path)


def _rendered(renderer: Renderer, found: FoundRun, output: Path | None) -> str:
    color = output is None and streams.stdout_has_color()
    return renderer.of_run(found.baseline, found.run, width=streams.stdout_width(), color=color)
