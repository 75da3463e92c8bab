"""The answer on the screen when a run has ended; it waits for nobody and fails nothing.

The screen is the training's own. Where it isn't a person who reads a program's stdout (a sweep, a
pipe, a doctest), all that comes there is the program's: ours goes to stderr. A stream that nobody
reads, that is full, or that was closed gets nothing, and what was written leaves nothing behind
that would fail when the process exits.
"""

from __future__ import annotations

import io
import os
import select
import shlex
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ocr_baseline.files import refuse_beyond_limit
from ocr_baseline.measure.random_state import unchanged_random_state
from ocr_baseline.signal_errors import suppress_failures

if TYPE_CHECKING:
    from ocr_baseline.reports.registry import Renderer
    from ocr_baseline.write import ReportFiles

PATIENCE_MS = 1000
DEFAULT_WIDTH = 100


def show_report(files: ReportFiles) -> None:
    """Print the answer of a report, where the whole of it is, and what to run next."""
    with suppress_failures():  # the run has ended well, and is not to end otherwise for this
        from ocr_baseline.reports.registry import SUMMARY

        folder = shlex.quote(short_path(files.folder))
        command = f"ocr-baseline show {folder}"
        earlier = {} if files.earlier is None else {"earlier": short_path(files.earlier)}
        report = short_path(files.first_read)
        _show(SUMMARY, files.baseline, report=report, command=command, **earlier)


def show_unreported(cause: str, command: str, folder: Path | None) -> None:
    """Print that a run has no report, why, and the command to run next on its folder."""
    with suppress_failures():  # as above: without files or a package there is no line either
        from ocr_baseline.reports.registry import UNREPORTED

        place = "FOLDER" if folder is None else shlex.quote(short_path(folder))
        _show(UNREPORTED, cause, command=f"ocr-baseline {command} {place}")


def short_path(path: Path) -> str:
    """Return a path from the current folder where that is below it, else the whole path."""
    with suppress(ValueError, OSError):  # elsewhere; the current folder is gone
        return str(path.absolute().relative_to(Path.cwd())) or "."
    return str(path)


def _show(renderer: Renderer, *subject: object, **options: str) -> None:
    stream = _stream()
    is_terminal = stream.isatty()
    with unchanged_random_state():  # rich draws a number as it is loaded
        text = renderer(
            *subject,
            width=shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns,
            color=is_terminal and not os.environ.get("NO_COLOR"),
            is_boxed=is_terminal,
            **options,
        )
    _write(stream, f"\n{text}")


def _stream() -> TextIO:
    """Return stdout where a person reads it, in a terminal or a notebook, else stderr."""
    stdout = sys.stdout
    is_notebook = type(stdout).__module__.partition(".")[0] == "ipykernel"
    return stdout if is_notebook or (stdout is not None and stdout.isatty()) else sys.stderr


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    encoded = text.encode(encoding, "replace")
    descriptor = _descriptor(stream)
    if descriptor is None:
        stream.write(encoded.decode(encoding))
        stream.flush()
        return
    stream.flush()  # what the training itself has printed comes first
    refuse_beyond_limit(os.fstat(descriptor).st_size + len(encoded))
    if _takes_all(descriptor, len(encoded)):
        # Past the stream's buffer, which would fail at exit with what couldn't be written.
        os.write(descriptor, encoded)


def _descriptor(stream: TextIO) -> int | None:
    """Return the number of a plain stream's file; a notebook's stream, as others, has its own."""
    if type(stream) is not io.TextIOWrapper or os.name == "nt":
        return None
    return stream.fileno()


def _takes_all(descriptor: int, size: int) -> bool:
    """Whether a file would take so many bytes at once, and somebody reads them."""
    asked = select.poll()
    asked.register(descriptor, select.POLLOUT)
    events = sum(event for _, event in asked.poll(PATIENCE_MS))
    is_ready = bool(events & select.POLLOUT) and not events & (select.POLLERR | select.POLLHUP)
    # A pipe that is ready takes this much; a file and a terminal take anything.
    return is_ready and size <= select.PIPE_BUF
