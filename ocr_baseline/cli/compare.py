"""`ocr-baseline compare`: two runs, or two sets of runs, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocr_baseline.cli import streams
from ocr_baseline.cli.options import (
    chosen_format,
    comparison_options,
    format_option,
    options_of,
    output_option,
    reading_options,
    runs_argument,
    write_or_print,
)
from ocr_baseline.places import Reading, summaries
from ocr_baseline.reports.registry import COMPARISON, TERMINAL

if TYPE_CHECKING:
    from ocr_baseline.comparison.sittings import SittingRule

SEPARATOR = "--"
_MARK = "\0new"


class _TwoSides(click.Command):
    """Keeps the place of `--`, which click would swallow, and options behind it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [_MARK if arg == SEPARATOR else arg for arg in args])


@click.command(
    name="compare",
    cls=_TwoSides,
    short_help="Compare two runs, or two sets of runs.",
    options_metavar="[OPTIONS]",
)
@runs_argument("runs", "BASE... -- NEW...", required=False)
@comparison_options
@reading_options
@format_option(COMPARISON, TERMINAL)
@output_option()
def command(
    runs: tuple[str, ...],
    margin: tuple[str, ...],
    gate: tuple[str, ...],
    across: tuple[str, ...],
    paired: bool,
    sittings: SittingRule,
    calibration: Path | None,
    how: Reading,
    format_name: str | None,
    output: Path | None,
) -> None:
    """Compare the runs NEW with the runs BASE.

    A run is a folder, a folder of runs, a baseline.json, a logger's file, a pattern, csv:PATH,
    tensorboard:PATH, mlflow:ID, wandb:ID or a name in the store. Without `--`, the first
    run is the base and all others are new. A verdict needs five runs per side. The exit status is 0
    whatever the comparison finds; to gate on it, use `check`.
    """
    base_items, new_items = _sides(runs)
    renderer = chosen_format(COMPARISON, format_name, output, TERMINAL)
    options = options_of(margin, gate, across, paired, sittings, calibration)
    new = summaries(new_items, how)
    base = summaries(base_items, how, like=new)
    from ocr_baseline.comparison.comparison import compare

    comparison = compare(base, new, options)
    text = renderer(
        comparison,
        width=streams.stdout_width(),
        color=output is None and streams.stdout_has_color(),
    )
    write_or_print(text, output)


def _sides(runs: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if runs.count(_MARK) > 1:
        raise click.UsageError("Give `--` once: BASE... -- NEW...")
    if _MARK in runs:
        place = runs.index(_MARK)
        base, new = runs[:place], runs[place + 1 :]
    else:
        base, new = runs[:1], runs[1:]
    if not base or not new:
        raise click.UsageError(
            "Name two runs (BASE NEW), or runs on both sides (BASE... -- NEW...)."
        )
    return base, new
