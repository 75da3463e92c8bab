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
from ocr_baseline.cli.command_words import command_words
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
from ocr_baseline.cli.wait_option import wait_option
from ocr_baseline.errors import BaselineError
from ocr_baseline.files import read_text
from ocr_baseline.places import Reading, stored_calibration, summaries
from ocr_baseline.reports.registry import CHECK, TERMINAL, Renderer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.comparison.check import Budget, Check
    from ocr_baseline.comparison.options import Options
    from ocr_baseline.comparison.sittings import SittingRule
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
@click.option(
    "--confirm",
    metavar="COMMAND",
    help="Before the check fails, run this five times: what those runs say decides.",
)
@wait_option
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
    sittings: SittingRule,
    calibration: Path | None,
    how: Reading,
    strict: bool,
    confirm: str | None,
    wait_s: float,
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
    anew = None if confirm is None else command_words("--confirm", confirm)
    written = chosen_format(CHECK, None, output, "markdown")
    with _no_crash_looks_like_a_regression():
        options = options_of(margin, gate, across, paired, sittings, calibration)
        budgets = _budgets(budget)
        runs = summaries(new, how)
        reference = summaries(base, how, like=runs) if base else None
        if options.calibration is None and base:
            options = replace(options, calibration=stored_calibration(base, how))
        check = _checked(reference, runs, options, budgets)
        if anew and "fail" in check.states:
            from ocr_baseline.cli.confirming import failed_text, runs_anew

            note = f"the runs given failed ({failed_text(check)}); those made anew decide"
            streams.print_message(f"To confirm: {note}")
            runs = runs_anew(anew, wait_s, how)
            check = _checked(reference, runs, options, budgets, note)
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


def _checked(
    base: Sequence[RunSummary] | None,
    new: Sequence[RunSummary],
    options: Options,
    budgets: Sequence[Budget],
    *notes: str,
) -> Check:
    from ocr_baseline.comparison.check import Check, check_budgets
    from ocr_baseline.comparison.comparison import compare

    comparison = None
    if base is not None:
        comparison = compare(base, new, options)
        comparison = replace(comparison, notes=(*notes, *comparison.notes))
    return Check(comparison=comparison, budgets=tuple(check_budgets(budgets, new)))


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
