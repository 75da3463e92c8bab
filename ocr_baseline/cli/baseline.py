"""`ocr-baseline baseline`: named baselines in a folder or at a URL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocr_baseline.cli import completion, streams
from ocr_baseline.cli.mistyped import ForgivingGroup
from ocr_baseline.cli.options import file_option, reading_options, runs_argument, store_option
from ocr_baseline.places import Reading, read_all
from ocr_baseline.reports.text.plain_text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ocr_baseline.store.baselines import NameSummary
    from ocr_baseline.store.queries import QueryResult


@click.group(
    name="baseline",
    cls=ForgivingGroup,
    no_args_is_help=False,
    invoke_without_command=True,
    short_help="Keep named baselines: add, list, accept, rm, query.",
)
@click.pass_context
def command(context: click.Context) -> None:
    """Keep baselines under names, as a folder of JSON documents that can live in git.

    The folder may be at any URL that fsspec knows (s3://, gs://, az://), when the package for it
    is installed.
    """
    streams.help_without_command(context)


@command.command(name="add", short_help="Store runs under a name.")
@click.argument("name", shell_complete=completion.names)
@runs_argument("runs", "RUN...")
@reading_options
def add(name: str, runs: tuple[str, ...], how: Reading) -> None:
    """Store RUN... under NAME; a run that is there already is left as it is."""
    store_runs(name, runs, how, is_accepted_change=False)


@command.command(name="accept", short_help="Store runs as the new normal of a name.")
@click.argument("name", shell_complete=completion.names)
@runs_argument("runs", "RUN...")
@reading_options
def accept(name: str, runs: tuple[str, ...], how: Reading) -> None:
    """Store RUN... under NAME as an accepted change.

    Means start anew with the first of them; what earlier runs told of the machine's spread is
    kept.
    """
    store_runs(name, runs, how, is_accepted_change=True)


@command.command(name="list", short_help="List the names of the store, or the runs of one.")
@click.argument("name", required=False, shell_complete=completion.names)
@store_option
def list_names(name: str | None, store: str | None) -> None:
    """List the names of the store, or the runs of NAME; a damaged document is marked."""
    place = Reading(store_url=store).store
    if name is None:
        lines = [_name_line(summary) for summary in place.summaries()]
    else:
        lines = _run_lines(name, store)
    if not lines:
        streams.print_message(f"{place.folder} holds no baseline")
    streams.print_data("".join(f"{line}\n" for line in lines))


@command.command(name="rm", short_help="Remove a name, or one of its runs.")
@click.argument("name", shell_complete=completion.names)
@click.argument("file_name", required=False, metavar="[FILE]")
@store_option
def remove(name: str, file_name: str | None, store: str | None) -> None:
    """Remove NAME with all its runs, or only the run in FILE."""
    place = Reading(store_url=store).store
    place.remove(name, file_name)
    streams.print_message(
        f"Removed {place.folder.place(name, *([file_name] if file_name else []))}"
    )


@command.command(name="query", short_help="Ask the store in SQL.")
@click.argument("sql")
@file_option("--parquet", text="Write the rows here too.")
@store_option
def query(sql: str, parquet: Path | None, store: str | None) -> None:
    """Print the rows of a SELECT over `runs`, `phases` and `lines`, as CSV.

    DuckDB reads the documents in place; another Parquet or JSON file can be read in the same
    query with read_parquet or read_json.
    """
    from ocr_baseline.store.queries import query as ask

    place = Reading(store_url=store).store
    streams.print_data(_csv(ask(place.folder, sql, parquet=parquet)))
    if parquet is not None:
        streams.print_message(f"Wrote {parquet}")


def store_runs(
    name: str, runs: Iterable[str | Path], how: Reading, *, is_accepted_change: bool
) -> None:
    """Store runs under a name, the oldest first, and say where each is.

    Raises:
        BaselineError: When one can't be read or written.
    """
    found = list(read_all(runs, how))
    place = how.store
    found.sort(key=lambda run: str(run.baseline.run.started_at or run.baseline.generated_at))
    for index, run in enumerate(found):
        entry, is_new = place.add(
            name,
            run.baseline,
            is_accepted_change=is_accepted_change and index == 0,
        )
        verb = "Stored" if is_new else "Already there:"
        streams.print_message(f"{verb} {place.folder.place(name, entry.file_name)}")


def _name_line(summary: NameSummary) -> str:
    prints = {entry.fingerprint for entry in summary.entries}
    last = summary.entries[-1].stamp if summary.entries else "never"
    runs, places = counted(len(summary.entries), "run"), counted(len(prints), "environment")
    line = f"{summary.name}: {runs}, {places}, latest {last}"
    if summary.has_calibration:
        line += ", calibrated"
    if summary.foreign_files:
        line += f"; not of the store: {', '.join(summary.foreign_files)}"
    return line


def _run_lines(name: str, store: str | None) -> list[str]:
    from ocr_baseline.errors import SchemaError

    place = Reading(store_url=store).store
    lines = []
    for entry in place.entries(name):
        try:
            (run,) = place.load(name, [entry])
        except SchemaError as error:
            lines.append(f"{entry.file_name}: damaged: {error}")
            continue
        facts = [run.label, run.info.status]
        if commit := run.environment.known.git_commit:
            facts.append(f"commit {commit}")
        if entry.is_accepted_change:
            facts.append("accepted change")
        lines.append(f"{entry.file_name}: {', '.join(facts)}")
    return lines


def _csv(result: QueryResult) -> str:
    from ocr_baseline.reports.text.csv_text import write_csv

    rows = [
        [
            value if value is None or isinstance(value, (str, int, float)) else str(value)
            for value in row
        ]
        for row in result.rows
    ]
    return write_csv(result.columns, rows)
