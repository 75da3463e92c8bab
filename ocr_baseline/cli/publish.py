"""`ocr-baseline publish`: a run's report where a team looks at its runs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocr_baseline.cli import streams
from ocr_baseline.cli.options import ChosenRun, one_run
from ocr_baseline.errors import PublishError
from ocr_baseline.layout import HTML_NAME
from ocr_baseline.publish import TARGETS, checked_targets, find_target

if TYPE_CHECKING:
    from ocr_baseline.publish.publication import Publication
    from ocr_baseline.sources.source import ReadOptions


@click.command(
    name="publish", short_help="Send a run's report to W&B, MLflow, TensorBoard, GitHub."
)
@one_run
@click.option(
    "--to",
    "places",
    multiple=True,
    required=True,
    metavar="TARGET",
    help="wandb:ENTITY/PROJECT/ID, mlflow:ID, tensorboard:FOLDER or github; may be repeated.",
)
def command(run: ChosenRun, places: tuple[str, ...]) -> None:
    """Publish the report of RUN.

    The W&B or MLflow run that you name gets a handful of numbers (baseline/...) and the page as an
    artifact. TensorBoard gets the numbers, and the report as text. With github, the report goes
    into the summary of the job's step. WANDB_API_KEY, WANDB_BASE_URL and MLFLOW_TRACKING_URI mean
    what they mean to W&B's and MLflow's own clients.
    """
    from ocr_baseline.publish.publication import publication_of
    from ocr_baseline.reports.registry import RUN

    named = [_target_and_place(place) for place in places]
    found = run.read()
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, HTML_NAME)
        page.write_text(RUN["html"].of_run(found.baseline, found.run), encoding="utf-8")
        publication = publication_of(found.baseline, page)
        failures = [
            failure
            for name, place in named
            if (failure := _failure(publication, name, place, run.how.options)) is not None
        ]
    if failures:
        raise PublishError("; ".join(failures))


def _target_and_place(text: str) -> tuple[str, str]:
    """Return a target's name and what stands behind the colon.

    Raises:
        click.UsageError: There is no such target, or its place is missing.
    """
    name, _, place = text.partition(":")
    if name not in TARGETS:
        forms = ", ".join(find_target(known).form for known in checked_targets(TARGETS))
        raise click.UsageError(f"--to {text}: no such target; write {forms}.")
    form = find_target(name).form
    if bool(place) != (":" in form):
        raise click.UsageError(f"--to {text}: write {form}.")
    return name, place


def _failure(publication: Publication, name: str, place: str, options: ReadOptions) -> str | None:
    """Publish, say where, and return None; or return why it isn't published."""
    try:
        with streams.progress(f"Publishing to {name}"):
            where = find_target(name).to_place(publication, place, options)
    except PublishError as error:
        return f"not published to {name}: {error}"
    streams.print_message(f"Published to {where}")
    return None
