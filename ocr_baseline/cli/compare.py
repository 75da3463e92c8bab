"""`ocr-baseline compare`: two runs, or two sets of runs, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocr_baseline.cli import streams
from ocr_baseline.cli.options import (
    comparison_options,
    options_of,
    output_option,
    reading_options,
    write_or_print,
)
from ocr_baseline.places import Reading, summaries

if TYPE_CHECKING:
    from ocr_baseline.comparison.comparison import Comparison

FORMATS = ("terminal", "markdown", "json", "csv", "github-action-benchmark", "bencher")
FORMATS_BY_SUFFIX = {".md": "markdown", ".json": "json", ".csv": "csv"}
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
@click.argument("runs", nargs=-1, metavar="BASE... -- NEW...")
@comparison_options
@reading_options
@click.option(
    "--format",
    "format_name",
    type=click.Choice(FORMATS),
    help="How to write it [default: by the name of --output, else terminal].",
)
@output_option()
def command(
    runs: tuple[str, ...],
    margin: tuple[str, ...],
    gate: tuple[str, ...],
    across: tuple[str, ...],
    paired: bool,
    calibration: Path | None,
    how: Reading,
    format_name: str | None,
    output: Path | None,
) -> None:
    """Compare the runs BASE with the runs NEW.

    A run is a folder, a folder of runs, a baseline.json, a logger's file, a pattern, csv:PATH,
    tensorboard:PATH, mlflow:ID, wandb:ID or a name in the store. Without `--` the first is the
    base and the others are new. A verdict needs five runs per side. The exit status is 0 whatever
    was found; `check` is the gate.
    """
    base_items, new_items = _sides(runs)
    options = options_of(margin, gate, across, paired, calibration)
    new = summaries(new_items, how)
    base = summaries(base_items, how, like=new)
    from ocr_baseline.comparison.comparison import compare

    comparison = compare(base, new, options)
    chosen = format_name or (FORMATS_BY_SUFFIX.get(output.suffix) if output else None)
    write_or_print(_rendered(comparison, chosen or "terminal", output), output)


def _sides(runs: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if runs.count(_MARK) > 1:
        raise click.UsageError("Give `--` once: BASE... -- NEW...")
    if _MARK in runs:
        place = runs.index(_MARK)
        base, new = runs[:place], runs[place + 1 :]
    else:
        base, new = runs[:1], runs[1:]
    if not base or not new:
        raise click.UsageError("Write BASE... -- NEW... with runs on both sides.")
    return base, new


def _rendered(comparison: Comparison, format_name: str, output: Path | None) -> str:
    """Import the one renderer that is needed: rich and jinja2 take their time."""
    if format_name == "markdown":
        from ocr_baseline.reports.comparison.markdown import render_comparison_markdown

        return render_comparison_markdown(comparison)
    if format_name == "json":
        from ocr_baseline.reports.comparison.json import render_comparison_json

        return render_comparison_json(comparison)
    if format_name == "csv":
        from ocr_baseline.reports.comparison.csv import render_comparison_csv

        return render_comparison_csv(comparison)
    from ocr_baseline.reports.comparison import exports as comparison_exports
    from ocr_baseline.reports.comparison import terminal as comparison_terminal

    if format_name == "github-action-benchmark":
        return comparison_exports.render_github_action_benchmark(comparison)
    if format_name == "bencher":
        return comparison_exports.render_bencher_metric_format(comparison)
    color = output is None and streams.stdout_has_color()
    return comparison_terminal.render_comparison_terminal(
        comparison, width=streams.stdout_width(), color=color
    )
