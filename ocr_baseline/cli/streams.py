"""Standard streams: data on stdout, messages and progress on stderr."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

import click

from ocr_baseline.errors import BaselineError
from ocr_baseline.model.privacy import without_commands
from ocr_baseline.reports.text.plain_text import message_line, single_line

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_WIDTH = 100


def fill_in_closed() -> None:
    """Take the place of standard streams that were closed before the program began.

    A file opened later would get their numbers, and with them what is meant for the streams.
    """
    for number, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # gets the lowest number that is free: this one
    if sys.stdout is None:
        # Its writes fail, and that is told as any other failure of stdout.
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)


def print_data(text: str) -> None:
    """Write text to stdout, in which characters that its encoding lacks become escapes.

    No line of it is one that GitHub Actions would run.

    Raises:
        BrokenPipeError: When the reader went away.
        BaselineError: When stdout can't be written for another reason.
    """
    encoding = sys.stdout.encoding or "utf-8"
    try:
        text = without_commands(text)
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        abandon_stdout()
        raise BaselineError(f"can't write to stdout: {error.strerror or error}") from error


def flush_stdout() -> None:
    """Write out what is buffered, so that a lost reader shows here and not at exit.

    Raises:
        BrokenPipeError: When the reader went away.
        BaselineError: When stdout can't be written for another reason.
    """
    print_data("")


def abandon_stdout() -> None:
    """Point stdout at nothing: the interpreter's own flush at exit then has no error to report."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_message(text: str) -> None:
    """Write one line to stderr."""
    line = message_line(text)
    encoding = sys.stderr.encoding or "utf-8"
    with suppress(OSError):
        sys.stderr.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stderr.flush()


def help_without_command(context: click.Context) -> None:
    """Where a group was given no command, write its help to stderr and end with 2.

    click's own answer differs between its versions.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(2)


def print_error(program: str, message: str) -> None:
    """Write an error to stderr as one line."""
    print_message(f"{program}: error: {message}")


def stdout_width() -> int:
    """Return the terminal's width, or 100 columns when stdout is none and COLUMNS is not set."""
    return shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns


def stdout_has_color() -> bool:
    """Whether stdout is a terminal that shows colors, and nobody asked for none (no-color.org)."""
    return _has_color(sys.stdout)


@contextmanager
def progress(message: str) -> Iterator[None]:
    """Show on stderr that something takes its time: a spinner on a terminal, else one line."""
    if not sys.stderr.isatty():
        print_message(message)
        yield
        return
    # rich takes longer to import than most commands take to run.
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, no_color=not _has_color(sys.stderr))
    with console.status(Text(single_line(message))):
        yield


def _has_color(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
