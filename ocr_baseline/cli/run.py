"""`ocr-baseline run`: a baseline of any Lightning script, which stays as it is."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocr_baseline.cli import completion, streams
from ocr_baseline.cli.command_words import command_words
from ocr_baseline.cli.wait_option import wait_option
from ocr_baseline.files import working_folder
from ocr_baseline.unchanged_script.asked_git import asked_git_state
from ocr_baseline.unchanged_script.process import end_like, run_command
from ocr_baseline.unchanged_script.request import DEFAULT_SAMPLING_HZ, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

_WITHOUT_TRAINER = (
    "Is ocr-baseline installed in the environment that it runs in? A loop of your own is measured "
    "by ocr_baseline.record."
)
NOT_FOUND = 127
NOT_STARTED = 126
"""What a shell and env(1) exit with when a command can't be found, and when it can't be started."""
DEFAULT_REPEATS = 5
"""As many runs of each side as a verdict needs."""
DEFAULT_FOLDER = Path("baseline")
DEFAULT_TRIALS_FOLDER = Path("trials")


@click.command(
    name="run",
    short_help="Run a Lightning script, unchanged, and write its baseline.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option(
    "--output-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the baseline [default: baseline], or of the repeated runs [default: trials].",
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
@click.option(
    "--repeat",
    "repeats",
    type=click.IntRange(min=1),
    metavar="N",
    help="Run it this many times after one warm-up run, and print how much the runs differ.",
)
@click.option(
    "--against",
    metavar="COMMAND",
    help="Run another command in turns with it, and compare [default: 5 runs of each].",
)
@click.option(
    "--into",
    "name",
    metavar="NAME",
    shell_complete=completion.names,
    help="Keep the repeated runs (of COMMAND, not of --against) under a name of the store.",
)
@wait_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def command(
    context: click.Context,
    command: tuple[str, ...],
    output_dir: Path | None,
    operations: tuple[str, ...],
    sampling_hz: float,
    repeats: int | None,
    against: str | None,
    name: str | None,
    wait_s: float,
) -> None:
    """Run COMMAND, as in `ocr-baseline run -- python train.py`, and write its baseline.

    Every Trainer that COMMAND makes, in whatever process, gets the two callbacks; a script that
    already has them keeps its own. Signals, streams and the exit status are those of COMMAND.

    With --repeat or --against, runs are fresh processes in turns (A B B A ...), the output of each
    is in its folder, and the exit status is that of `check`: 1 where the other command is a
    confirmed regression, 2 where too few runs ended well.
    """
    folder = working_folder()
    asked = Request(
        operations=operations,
        sampling_hz=sampling_hz,
        git_state=None if folder is None else asked_git_state(folder),
    )
    if repeats is None and against is None:
        _refuse_without_repeats(name)
        status = end_like(_run_once(command, asked, output_dir or DEFAULT_FOLDER))
    else:
        from ocr_baseline.cli.repeated_runs import Wanted, run_repeated

        wanted = Wanted(
            commands={"a": command}
            | ({} if against is None else {"b": command_words("--against", against)}),
            repeats=repeats or DEFAULT_REPEATS,
            folder=output_dir or DEFAULT_TRIALS_FOLDER,
            asked=asked,
            wait_s=wait_s,
            name=name,
        )
        status = run_repeated(wanted)
    context.exit(status)


def _refuse_without_repeats(name: str | None) -> None:
    if name is not None:
        raise click.UsageError(
            "--into keeps repeated runs: add --repeat, or use `ocr-baseline baseline add`."
        )


def _run_once(command: tuple[str, ...], asked: Request, folder: Path) -> int:
    """Run the command as if it had been started alone; return its exit status."""
    with _mark() as seen:
        wanted = replace(asked, output_dir=_absolute(folder), seen=seen)
        try:
            status = run_command(command, wanted.environment())
        except OSError as error:
            streams.print_message(
                f"ocr-baseline: can't start {command[0]}: {error.strerror or error}"
            )
            return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_STARTED
        if seen is not None and not seen.exists():
            streams.print_message(
                f"ocr-baseline: {command[0]} made no Trainer, so there is nothing to report. "
                + (_WITHOUT_TRAINER if status == 0 else "It failed before it came to one.")
            )
    return status


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
