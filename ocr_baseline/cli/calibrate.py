"""`ocr-baseline calibrate`: the machine's own spread, from runs of the same code."""

from __future__ import annotations

from pathlib import Path

import click

from ocr_baseline.cli import completion, streams
from ocr_baseline.cli.options import (
    output_option,
    reading_options,
    runs_argument,
    write_or_print,
)
from ocr_baseline.places import Reading, summaries


@click.command(name="calibrate", short_help="Measure a machine's own spread from equal runs.")
@runs_argument("runs", "RUN...")
@click.option(
    "--name",
    metavar="NAME",
    help="Keep it with this name of the store.",
    shell_complete=completion.names,
)
@output_option()
@reading_options
def command(runs: tuple[str, ...], name: str | None, output: Path | None, how: Reading) -> None:
    """Measure how much RUN..., eight or more of the same code on one machine, differ.

    `compare --calibration FILE` then has a verdict on single runs. `check --baseline NAME` finds
    what was kept with --name by itself.
    """
    found = summaries(runs, how)
    from ocr_baseline.comparison.calibration import calibrate, render_calibration
    from ocr_baseline.reports.comparison.wording import spread_lines

    calibration = calibrate(found)
    for line in spread_lines(calibration):
        streams.print_message(line)
    if name is not None:
        how.store.write_calibration(name, calibration)
        streams.print_message(f"Kept with {name} in {how.store.folder}")
    if output is not None or name is None:
        write_or_print(render_calibration(calibration), output)
