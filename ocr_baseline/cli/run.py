"""`ocr-baseline run`: a baseline of any Lightning script, which stays as it is."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocr_baseline.cli import streams
from ocr_baseline.unchanged_script.process import run_command
from ocr_baseline.unchanged_script.request import DEFAULT_SAMPLING_HZ, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_STARTED = 127
"""What a shell and env(1) exit with when a command can't be found or started."""


@click.command(
    name="run",
    short_help="Run a Lightning script, unchanged, and write its baseline.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option(
    "--output-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("baseline"),
    show_default=True,
    help="Folder to write the baseline to.",
)
@click.option(
    "--operation",
    "operations",
    multiple=True,
    metavar="NAME",
    help="Dotted name of a callable to time, as in cv2.findContours; may be repeated.",
)
@click.option(
    "--sampling-hz",
    type=click.FloatRange(min=0, max=1000),
    default=DEFAULT_SAMPLING_HZ,
    show_default=True,
    metavar="HZ",
    help="How often a second to sample the running functions; 0 turns sampling off.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def command(
    context: click.Context,
    command: tuple[str, ...],
    output_dir: Path,
    operations: tuple[str, ...],
    sampling_hz: float,
) -> None:
    """Run COMMAND, as in `ocr-baseline run -- python train.py`, and write its baseline.

    Every Trainer that COMMAND makes, in whatever process, gets the two callbacks; a script that
    already has them keeps its own. Signals, streams and the exit status are those of COMMAND.
    """
    with _mark() as seen:
        asked = Request(
            output_dir=_absolute(output_dir),
            operations=operations,
            sampling_hz=sampling_hz,
            seen=seen,
        )
        try:
            status = run_command(command, asked.environment())
        except OSError as error:
            streams.print_message(
                f"ocr-baseline: can't start {command[0]}: {error.strerror or error}"
            )
            context.exit(NOT_STARTED)
        if seen is not None and not seen.exists():
            streams.print_message(
                f"ocr-baseline: {command[0]} made no Trainer, so there is nothing to report. "
                "Is ocr-baseline installed in the environment that it runs in? A loop of your own "
                "is measured by ocr_baseline.record."
            )
    context.exit(status)


@contextmanager
def _mark() -> Iterator[Path | None]:
    """Yield a file that processes can make, None where there is no place for one."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="ocr-baseline-")
    except OSError:
        yield None
        return
    with folder as name:
        yield Path(name, "a-trainer-was-made")


def _absolute(path: Path) -> Path:
    """Return the path from the root, unless the current folder is gone."""
    try:
        return path.absolute()
    except OSError:
        return path
