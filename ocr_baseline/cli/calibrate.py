"""`ocr-baseline calibrate`: the machine's own spread, from runs of the same code."""

from __future__ import annotations

from pathlib import Path

import click

from ocr_baseline.cli import compared_runs, streams
from ocr_baseline.cli.comparison_options import (
    access_of,
    store_option,
    wandb_options,
    write_or_print,
)


@click.command(name="calibrate", short_help="Measure a machine's own spread from equal runs.")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--name", metavar="NAME", help="Keep it with this name of the store.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write it here [default: stdout].",
)
@store_option
@wandb_options
def command(
    runs: tuple[str, ...],
    name: str | None,
    output: Path | None,
    store: str | None,
    project: str | None,
    entity: str | None,
) -> None:
    """Measure how much RUN..., eight or more of the same code on one machine, differ.

    `compare --calibration FILE` then has a verdict on single runs. `check --baseline NAME` finds
    what was kept with --name by itself.
    """
    place = compared_runs.open_store(store)
    found = compared_runs.summaries(runs, place, access_of(project, entity))
    from ocr_baseline.comparison.calibration import calibrate, render_calibration
    from ocr_baseline.reports.comparison.wording import spread_lines

    calibration = calibrate(found)
    for line in spread_lines(calibration):
        streams.print_message(line)
    if name is not None:
        place.write_calibration(name, calibration)
        streams.print_message(f"Kept with {name} in {place.folder}")
    if output is not None or name is None:
        write_or_print(render_calibration(calibration), output)
