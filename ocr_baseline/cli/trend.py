"""`ocr-baseline trend`: the history of a named baseline, with its change points."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocr_baseline.cli import streams
from ocr_baseline.cli.options import (
    chosen_format,
    format_option,
    output_option,
    reading_options,
    runs_argument,
    write_or_print,
)
from ocr_baseline.places import Reading, summaries
from ocr_baseline.reports.registry import TERMINAL, TREND
from ocr_baseline.reports.text.plain_text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.comparison.drift import Trend
    from ocr_baseline.comparison.summary import RunSummary
    from ocr_baseline.store.baselines import Entry

LATEST_RUNS = 200


@click.command(name="trend", short_help="Show a history with its change points.")
@runs_argument("runs", "NAME|RUN...")
@click.option(
    "--metric",
    "names",
    multiple=True,
    metavar="METRIC",
    help="A metric to show [default: the gated ones]; may be repeated.",
)
@click.option(
    "--fingerprint",
    metavar="HEX",
    help="The environment whose runs to show [default: that of the latest run].",
)
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=LATEST_RUNS,
    show_default=True,
    metavar="N",
    help="Show at most the latest N runs.",
)
@format_option(TREND, TERMINAL)
@output_option()
@reading_options
def command(
    runs: tuple[str, ...],
    names: tuple[str, ...],
    fingerprint: str | None,
    last: int,
    format_name: str | None,
    output: Path | None,
    how: Reading,
) -> None:
    """Show how metrics moved over the runs of one environment, oldest first."""
    renderer = chosen_format(TREND, format_name, output, TERMINAL)
    found = _loaded(runs, how, fingerprint, last)
    history = _of_one_environment(found, fingerprint)[-last:]
    trends = _trends(names, history)
    labels = [run.label for run in history]
    color = output is None and streams.stdout_has_color()
    text = renderer(trends, labels, width=streams.stdout_width(), color=color)
    write_or_print(text, output)


def _loaded(
    items: Sequence[str], how: Reading, fingerprint: str | None, last: int
) -> list[RunSummary]:
    """Return the runs; of a name in the store no more is read than what can be shown."""
    found: list[RunSummary] = []
    for item in items:
        entries = how.stored(item)
        if entries:
            wanted = fingerprint or (entries[-1].fingerprint if len(items) == 1 else "")
            found.extend(how.store.load(item, _latest(entries, wanted, last)))
        else:
            found.extend(summaries([item], how))
    return found


def _latest(entries: Sequence[Entry], wanted: str, last: int) -> list[Entry]:
    """Return the latest runs of the environments that are wanted, and one of each other.

    That one lets the history say what was left out.
    """
    by_environment: dict[str, list[Entry]] = {}
    for entry in entries:
        by_environment.setdefault(entry.fingerprint, []).append(entry)
    return sorted(
        entry
        for fingerprint, own in by_environment.items()
        for entry in own[-(last if fingerprint.startswith(wanted) else 1) :]
    )


def _of_one_environment(runs: Sequence[RunSummary], fingerprint: str | None) -> list[RunSummary]:
    from ocr_baseline.comparison.identity import fingerprint as fingerprint_of
    from ocr_baseline.comparison.sides import distinct
    from ocr_baseline.comparison.sittings import in_time_order
    from ocr_baseline.errors import ComparisonError

    ordered = in_time_order(distinct(runs, "history")[0])
    prints = [fingerprint_of(run.environment.identity) for run in ordered]
    wanted = fingerprint or prints[-1]
    chosen = [run for run, own in zip(ordered, prints, strict=True) if own.startswith(wanted)]
    if not chosen:
        known = ", ".join(sorted(set(prints)))
        raise ComparisonError(f"no run is of environment {wanted}; there are {known}")
    others = {own for own in prints if not own.startswith(wanted)}
    if others:
        left = counted(len(others), "other environment")
        streams.print_message(f"Left out: the runs of {left}: {', '.join(sorted(others))}")
    return chosen


def _trends(names: Sequence[str], history: Sequence[RunSummary]) -> list[Trend]:
    from ocr_baseline.comparison.drift import trend
    from ocr_baseline.comparison.metrics import METRICS
    from ocr_baseline.comparison.options import matching_metrics
    from ocr_baseline.comparison.sittings import sittings_of

    metrics = [metric for name in names for metric in matching_metrics(name)]
    metrics = metrics or [metric for metric in METRICS if metric.is_gated]
    sittings = sittings_of(history)
    found = (trend(metric, history, sittings) for metric in metrics)
    return [one for one in found if one is not None]
