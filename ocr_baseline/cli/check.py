"""`ocr-baseline check`: the gate of a CI job."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocr_baseline.cli import completion, streams
from ocr_baseline.cli.options import (
    check_outputs,
    chosen_format,
    comparison_options,
    file_option,
    options_of,
    output_option,
    reading_options,
    runs_argument,
    write_or_print,
)
from ocr_baseline.errors import BaselineError
from ocr_baseline.files import read_text
from ocr_baseline.places import Reading, stored_calibration, summaries
from ocr_baseline.reports.registry import CHECK, TERMINAL, Renderer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.comparison.calibration import Calibration
    from ocr_baseline.comparison.check import Budget, Check
    from ocr_baseline.comparison.comparison import Comparison
    from ocr_baseline.comparison.options import Options
    from ocr_baseline.comparison.summary import RunSummary


EXIT_ERROR = 2


@click.command(name="check", short_help="Fail when runs are slower than a baseline or a budget.")
@runs_argument("new", "NEW...")
@click.option(
    "--baseline",
    "base",
    multiple=True,
    metavar="NAME|FILES",
    shell_complete=completion.runs,
    help="What to check the runs against: a name in the store, or runs; may be repeated.",
)
@file_option("--budget", text="Absolute limits in TOML.")
@comparison_options
@reading_options
@click.option(
    "--strict",
    is_flag=True,
    help="Exit with 3 when something is incomparable, missing or inconclusive.",
)
@output_option(
    "Also write the outcome to this file: Markdown, or JSON where its name ends in .json."
)
@file_option("--export-json", text="Also write the outcome to this file, as JSON.")
def command(
    new: tuple[str, ...],
    base: tuple[str, ...],
    budget: Path | None,
    margin: tuple[str, ...],
    gate: tuple[str, ...],
    across: tuple[str, ...],
    paired: bool,
    calibration: Path | None,
    how: Reading,
    strict: bool,
    output: Path | None,
    export_json: Path | None,
) -> None:
    """Check the runs NEW against a baseline, against budgets, or both.

    The exit status is 0 when nothing is wrong, 1 for a confirmed regression or a broken budget,
    2 for a usage error, an input that can't be read or a crash, and with --strict 3 when
    something is incomparable, missing or inconclusive.
    """
    if not base and budget is None:
        raise click.UsageError("Give something to check against: --baseline, --budget or both.")
    check_outputs(output=output, export_json=export_json)
    written = chosen_format(CHECK, None, output, "markdown")
    with _no_crash_looks_like_a_regression():
        options = options_of(margin, gate, across, paired, calibration)
        budgets = _budgets(budget)
        runs = summaries(new, how)
        comparison = None
        if base:
            reference = summaries(base, how, like=runs)
            comparison = _compare(reference, runs, options, stored_calibration(base, how))
        check = _checked(comparison, budgets, runs)
        _report(check, strict, written, output, export_json)
        status = check.exit_status(strict=strict)
    if status:
        raise click.exceptions.Exit(status)


@contextmanager
def _no_crash_looks_like_a_regression() -> Iterator[None]:
    """Let an unforeseen error end with 2: Python's own status for it, 1, means "regression"."""
    try:
        yield
    except (BaselineError, click.ClickException, BrokenPipeError):
        raise
    except Exception as error:
        traceback.print_exc()
        raise click.exceptions.Exit(EXIT_ERROR) from error


def _budgets(path: Path | None) -> list[Budget]:
    from ocr_baseline.comparison.check import parse_budgets

    return [] if path is None else parse_budgets(read_text(path), str(path))


def _compare(
    base: Sequence[RunSummary],
    new: Sequence[RunSummary],
    options: Options,
    stored: Calibration | None,
) -> Comparison:
    from ocr_baseline.comparison.comparison import compare

    if options.calibration is None and stored is not None:
        options = replace(options, calibration=stored)
    return compare(base, new, options)


def _checked(
    comparison: Comparison | None, budgets: Sequence[Budget], runs: Sequence[RunSummary]
) -> Check:
    from ocr_baseline.comparison.check import Check, check_budgets

    return Check(comparison=comparison, budgets=tuple(check_budgets(budgets, runs)))


def _text(check: Check, strict: bool, renderer: Renderer) -> str:
    return renderer(check, strict=strict) if renderer.name == "json" else renderer(check)


def _report(
    check: Check,
    strict: bool,
    renderer: Renderer,
    output: Path | None,
    export_json: Path | None,
) -> None:
    for path, one in ((output, renderer), (export_json, CHECK["json"])):
        if path is not None:
            write_or_print(_text(check, strict, one), path)
    width, color = streams.stdout_width(), streams.stdout_has_color()
    streams.print_data(CHECK[TERMINAL](check, width=width, color=color))
