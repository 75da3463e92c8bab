"""`ocr-baseline report`: a run's report as Markdown, JSON and CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocr.performance.cli import inputs, streams

if TYPE_CHECKING:
    from collections.abc import Callable

    from ocr.performance.baseline import Baseline

TIMEOUT_S = 12.0


@click.command(name="report", short_help="Write a run's report as Markdown, JSON and CSV.")
@click.argument("document", required=False, type=click.Path(path_type=Path), metavar="[BASELINE]")
@click.option("--run-id", metavar="ID", help="A W&B run: its id, its path or its URL.")
@click.option("--project", metavar="NAME", help="The W&B project [default: WANDB_PROJECT].")
@click.option("--entity", metavar="NAME", help="The W&B entity [default: the account's own].")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=TIMEOUT_S,
    show_default=True,
    metavar="SECONDS",
    help="Give up on W&B after so long without an answer.",
)
@click.option(
    "--run-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A run's output folder, or the profiler's records in it.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the Markdown here [default: stdout].",
)
@click.option(
    "--export-json",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the baseline document here too.",
)
@click.option(
    "--export-csv",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write every number in long form here too.",
)
def command(
    document: Path | None,
    run_id: str | None,
    project: str | None,
    entity: str | None,
    timeout: float,
    run_dir: Path | None,
    output: Path | None,
    export_json: Path | None,
    export_csv: Path | None,
) -> None:
    """Write the report of a run: of BASELINE (a baseline.json), --run-dir or --run-id."""
    if sum(source is not None for source in (document, run_dir, run_id)) != 1:
        raise click.UsageError("Give one run: a baseline.json, --run-dir or --run-id.")
    if run_id is None and (project is not None or entity is not None):
        raise click.UsageError("--project and --entity belong to --run-id.")
    _check_outputs(output, export_json, export_csv)
    if run_id is not None:
        baseline = inputs.baseline_of_wandb_run(
            run_id, project=project, entity=entity, timeout_s=timeout
        )
    elif run_dir is not None:
        baseline = inputs.baseline_of_folder(run_dir)
    else:
        baseline = inputs.baseline_of_path(document or Path())
    _write(baseline, output, export_json, export_csv)


def _check_outputs(*paths: Path | None) -> None:
    given = [path.absolute() for path in paths if path is not None]
    if len(set(given)) < len(given):
        raise click.UsageError("--output, --export-json and --export-csv need a file each.")


def _write(
    baseline: Baseline, output: Path | None, export_json: Path | None, export_csv: Path | None
) -> None:
    # The renderers are imported once there is a run: a wrong argument gets its answer at once.
    from ocr.performance.documents import write_text_atomically
    from ocr.performance.renderers.json_document import render_json
    from ocr.performance.renderers.markdown import render_markdown
    from ocr.performance.renderers.metrics_csv import render_metrics_csv

    exports: tuple[tuple[Path | None, Callable[[Baseline], str]], ...] = (
        (output, render_markdown),
        (export_json, render_json),
        (export_csv, render_metrics_csv),
    )
    for path, render in exports:
        if path is not None:
            write_text_atomically(path, render(baseline))
            streams.print_message(f"Wrote {path}")
    if output is None:
        streams.print_data(render_markdown(baseline))
