"""`ocr-baseline report`: a run's report as Markdown, JSON and CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocr_baseline.cli.options import (
    ChosenRun,
    check_outputs,
    file_option,
    one_run,
    output_option,
    write_or_print,
)
from ocr_baseline.reports.registry import RUN

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline


@click.command(name="report", short_help="Write a run's report as Markdown, JSON and CSV.")
@one_run
@output_option("Write the Markdown here [default: stdout].")
@file_option("--export-json", "Write the baseline document here too.")
@file_option("--export-csv", "Write every number in long form here too.")
def command(
    run: ChosenRun, output: Path | None, export_json: Path | None, export_csv: Path | None
) -> None:
    """Write the report of RUN.

    RUN is a folder, a baseline.json, a logger's file, csv:PATH, tensorboard:PATH, mlflow:ID,
    wandb:ID or a name in the store.
    """
    check_outputs(output=output, export_json=export_json, export_csv=export_csv)
    _write(run.read().baseline, output, export_json, export_csv)


def _write(
    baseline: Baseline, output: Path | None, export_json: Path | None, export_csv: Path | None
) -> None:
    # The renderers are imported once there is a run: a wrong argument gets its answer at once.
    write_or_print(RUN["markdown"](baseline), output)
    for path, name in ((export_json, "json"), (export_csv, "csv")):
        if path is not None:
            write_or_print(RUN[name](baseline), path)
