"""`ocr-baseline show`: a run on one or two screens of a terminal."""

from __future__ import annotations

from pathlib import Path

import click

from ocr.performance.cli import inputs, streams


@click.command(name="show", short_help="Show a run's baseline in the terminal.")
@click.argument("path", type=click.Path(path_type=Path))
def command(path: Path) -> None:
    """Show the baseline of PATH: a run's output folder, its records or a baseline.json."""
    baseline = inputs.baseline_of_path(path)
    # rich takes longer to import than a wrong path takes to be found.
    from ocr.performance.renderers.terminal import render_terminal

    width, color = streams.stdout_width(), streams.stdout_has_color()
    streams.print_data(render_terminal(baseline, width=width, color=color))
