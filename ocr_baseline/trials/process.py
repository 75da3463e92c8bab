"""One run of a command: a process group of its own, its output in a file, at most so long."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager, suppress
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

HAS_GROUPS = os.name != "nt"
GRACE_S = 10.0
"""How long a run that is told to end has for its report, before it is killed."""


def run_logged(
    command: Sequence[str],
    environment: Mapping[str, str],
    output: Path,
    limit_s: float | None = None,
) -> int | None:
    """Run a command; return its exit status, or None where it took longer than the limit.

    Whatever ends this process meanwhile, Ctrl-C or SIGTERM, ends the command's processes first.

    Args:
        command: The program and its arguments.
        environment: Variables on top of this process's own.
        output: Where its stdout and stderr go.
        limit_s: How long it may take.

    Raises:
        OSError: When the command can't be started.
    """
    with output.open("wb") as log, _sigterm_raises():
        process = subprocess.Popen(  # noqa: S603 - the user's own command
            command,
            env=os.environ | dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=HAS_GROUPS,
        )
        try:
            return process.wait(limit_s)
        except subprocess.TimeoutExpired:
            _end(process, signal.SIGTERM)
            return None
        except BaseException:
            _end(process, signal.SIGINT)
            raise


def _end(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """Tell all processes of a run to end, and kill those that don't."""
    try:
        _signal_group(process, how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
    finally:  # at once where the user has pressed Ctrl-C again
        _signal_group(process, getattr(signal, "SIGKILL", signal.SIGTERM))
        process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if not HAS_GROUPS:
        process.terminate()
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Have SIGTERM leave by an exception, so that the run isn't left behind."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
