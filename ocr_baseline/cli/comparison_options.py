"""Options that `compare`, `check` and `trend` share, and what they are turned into."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from ocr_baseline.cli import streams
from ocr_baseline.cli.compared_runs import DEFAULT_STORE, STORE_VARIABLE, WandbAccess
from ocr_baseline.errors import SourceError

if TYPE_CHECKING:
    from ocr_baseline.comparison.calibration import Calibration
    from ocr_baseline.comparison.options import Options

Command = TypeVar("Command", bound=Callable[..., None])


def store_option(command: Command) -> Command:
    """Add `--store`."""
    return click.option(
        "--store",
        metavar="URL",
        help=f"Folder or URL of named baselines [default: {STORE_VARIABLE}, else {DEFAULT_STORE}].",
    )(command)


def wandb_options(command: Command) -> Command:
    """Add `--project` and `--entity`."""
    command = click.option("--entity", metavar="NAME", help="The W&B entity of run ids.")(command)
    return click.option("--project", metavar="NAME", help="The W&B project of run ids.")(command)


def comparison_options(command: Command) -> Command:
    """Add what decides how runs are compared."""
    for option in (
        click.option(
            "--calibration",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="The machine's own spread, from `calibrate`.",
        ),
        click.option(
            "--paired", is_flag=True, help="The runs of both sides were taken in pairs, in order."
        ),
        click.option(
            "--across",
            multiple=True,
            metavar="FIELD",
            help="A field that differs on purpose (num_workers, data.*); may be repeated.",
        ),
        click.option(
            "--gate",
            multiple=True,
            metavar="METRIC",
            help="Gate these metrics instead of the usual ones (*.throughput); may be repeated.",
        ),
        click.option(
            "--margin",
            multiple=True,
            metavar="METRIC=SIZE",
            help="The smallest change that counts (batch_time=5%,1ms); may be repeated.",
        ),
    ):
        command = option(command)
    return command


def access_of(project: str | None, entity: str | None) -> WandbAccess:
    """Return where W&B runs are asked for."""
    return WandbAccess(project=project, entity=entity)


def options_of(
    margin: tuple[str, ...],
    gate: tuple[str, ...],
    across: tuple[str, ...],
    paired: bool,
    calibration: Path | None,
) -> Options:
    """Return the options of a comparison.

    Raises:
        BaselineError: When one of them is wrong; nothing else has been read by then.
    """
    from ocr_baseline.comparison.options import Options, configured_metrics, parse_margin

    options = Options(
        margins=dict(map(parse_margin, margin)),
        gates=gate,
        across=across,
        is_paired=paired,
        calibration=None if calibration is None else read_calibration(calibration),
    )
    configured_metrics(options)
    return options


def read_calibration(path: Path) -> Calibration:
    """Return the calibration in a file.

    Raises:
        BaselineError: When it can't be read or is none.
    """
    from ocr_baseline.comparison.calibration import parse_calibration

    return parse_calibration(read_text(path), str(path))


def read_text(path: Path) -> str:
    """Return a file's text.

    Raises:
        SourceError: When it can't be read as UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(f"can't read {path}: it is no UTF-8 text") from error
    except OSError as error:
        raise SourceError(f"can't read {path}: {error.strerror or error}") from error


def write_or_print(text: str, output: Path | None) -> None:
    """Write text into a file and say so, or print it when there is no file.

    Raises:
        BaselineError: When it can't be written.
    """
    from ocr_baseline.files import write_text_atomically

    if output is None:
        streams.print_data(text)
    else:
        write_text_atomically(output, text)
        streams.print_message(f"Wrote {output}")
