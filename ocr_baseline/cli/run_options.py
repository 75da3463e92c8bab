"""The options by which `report` and `show` are told which run to read, and that run's baseline."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ocr_baseline.cli import inputs

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline

TIMEOUT_S = 10.0
_SOURCES = (
    "a baseline.json, --run-dir, --wandb-file, --csv, --tensorboard, --mlflow-run or --run-id"
)


@dataclass(frozen=True, kw_only=True)
class RunChoice:
    """What the options say; one of the first seven names the run."""

    document: Path | None
    run_dir: Path | None
    wandb_file: Path | None
    csv: Path | None
    tensorboard: Path | None
    mlflow_run: str | None
    run_id: str | None
    mlflow_uri: str | None
    project: str | None
    entity: str | None
    timeout: float
    metric_names: Path | None

    def check(self) -> None:
        """Refuse options that name no run, several, or belong to another source.

        Raises:
            click.UsageError: The message says which.
        """
        own = (self.document, self.run_dir)
        logged = (self.wandb_file, self.csv, self.tensorboard, self.mlflow_run, self.run_id)
        if sum(source is not None for source in (*own, *logged)) != 1:
            raise click.UsageError(f"Give one run: {_SOURCES}.")
        if self.run_id is None and (self.project is not None or self.entity is not None):
            raise click.UsageError("--project and --entity belong to --run-id.")
        if self.mlflow_run is None and self.mlflow_uri is not None:
            raise click.UsageError("--mlflow-uri belongs to --mlflow-run.")
        if self.metric_names is not None and any(source is not None for source in own):
            raise click.UsageError("--metric-names belongs to a source of logged metrics.")

    def baseline(self) -> Baseline:
        """Read the run and return its baseline.

        Raises:
            BaselineError: The run, or the file of names, can't be read.
        """
        names = inputs.read_metric_names(self.metric_names)
        if self.run_id is not None:
            return inputs.baseline_of_wandb_run(
                self.run_id,
                project=self.project,
                entity=self.entity,
                timeout_s=self.timeout,
                metric_names=names,
            )
        if self.mlflow_run is not None:
            return inputs.baseline_of_mlflow_run(
                self.mlflow_run,
                tracking_uri=self.mlflow_uri,
                timeout_s=self.timeout,
                metric_names=names,
            )
        files = {
            "wandb-offline": self.wandb_file,
            "csv": self.csv,
            "tensorboard": self.tensorboard,
        }
        for source, path in files.items():
            if path is not None:
                return inputs.baseline_of_logged_file(source, path, names)
        if self.run_dir is not None:
            return inputs.baseline_of_folder(self.run_dir)
        return inputs.baseline_of_path(self.document or Path())


def run_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options; the command gets them as its first argument, a checked `RunChoice`."""

    @functools.wraps(command)
    def with_choice(**arguments: Any) -> None:
        choice = RunChoice(**{field.name: arguments.pop(field.name) for field in fields(RunChoice)})
        choice.check()
        command(choice, **arguments)

    decorated: Callable[..., None] = with_choice
    for add in reversed(_OPTIONS):
        decorated = add(decorated)
    return decorated


def _path_option(name: str, metavar: str, text: str) -> Callable[..., Any]:
    return click.option(name, type=click.Path(path_type=Path), metavar=metavar, help=text)


_OPTIONS = (
    click.argument(
        "document", required=False, type=click.Path(path_type=Path), metavar="[BASELINE]"
    ),
    _path_option("--run-dir", "DIR", "A run's output folder, or the profiler's records in it."),
    _path_option("--wandb-file", "PATH", "A W&B run's own file or folder, offline runs too."),
    _path_option("--csv", "PATH", "A CSVLogger's metrics.csv, or its folder."),
    _path_option("--tensorboard", "PATH", "A folder of TensorBoard events."),
    click.option("--mlflow-run", metavar="ID", help="An MLflow run."),
    click.option(
        "--mlflow-uri",
        metavar="URI",
        help="The MLflow folder, database or server [default: MLFLOW_TRACKING_URI].",
    ),
    click.option("--run-id", metavar="ID", help="A W&B run: its id, its path or its URL."),
    click.option("--project", metavar="NAME", help="The W&B project [default: WANDB_PROJECT]."),
    click.option("--entity", metavar="NAME", help="The W&B entity [default: the account's own]."),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        default=TIMEOUT_S,
        show_default=True,
        metavar="SECONDS",
        help="Give up on a server after so long without an answer.",
    ),
    _path_option("--metric-names", "FILE.yaml", "Your own keys for known ones (docs/metrics.md)."),
)
