"""One run of a command: a process group of its own, its output in a file, at most so long."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager, suppress
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

from ocr_baseline.unchanged_script.process import death_with_parent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

HAS_GROUPS = os.name != "nt"
GRACE_S = 10.0
"""How long a run that is told to end has for its report, before it is killed."""
_ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


def run_logged(
    command: Sequence[str],
    environment: Mapping[str, str],
    output: Path,
    limit_s: float | None = None,
) -> int | None:
    """Run a command; return its exit status, or None where it took longer than the limit.

    Whatever ends this process meanwhile (Ctrl-C, SIGTERM, a closed terminal) ends the command's
    processes first. Where this process is killed, so is the command.

    Args:
        command: The program and its arguments.
        environment: Variables on top of this process's own.
        output: Where its stdout and stderr go.
        limit_s: How long it may take.

    Raises:
        OSError: When the command can't be started.
    """
    with output.open("wb") as log, _interruptions() as came:
        process = subprocess.Popen(  # noqa: S603 - the user's own command
            command,
            env=os.environ | dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=HAS_GROUPS,
            preexec_fn=death_with_parent() if HAS_GROUPS else None,
        )
        try:
            came.may_raise()
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


class _Interruptions:
    """Signals that end this process, as exceptions, which wait until there is a run to end."""

    def __init__(self) -> None:
        self._is_ready = False
        self._came: int | None = None

    def may_raise(self) -> None:
        """Raise what has come, and from now on whatever comes."""
        self._is_ready = True
        if self._came is not None:
            self._raise(self._came)

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Take a signal."""
        self._came = number
        if self._is_ready:
            self._raise(number)

    def _raise(self, number: int) -> None:
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)


@contextmanager
def _interruptions() -> Iterator[_Interruptions]:
    """Take the signals that end this process; those that it ignores (`nohup`) stay ignored."""
    taken = _Interruptions()
    before = {}
    if current_thread() is main_thread():
        heeded = [one for one in _ENDING if signal.getsignal(one) not in (signal.SIG_IGN, None)]
        before = {number: signal.signal(number, taken.handle) for number in heeded}
    try:
        yield taken
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
