"""A client that reads a run in a process of its own, which can be given up when it hangs.

The process prints JSON lines, an object each: `up` first, once its client is imported, then what it
reads. A client's settings hold for a whole process and its timeouts are not always kept: a training
beside it must not feel either.
"""

from __future__ import annotations

import functools
import json
import os
import queue
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from ocr_baseline.clocks import monotonic
from ocr_baseline.measure.deferred_child_signals import own_child_ended
from ocr_baseline.measure.own_threads import own_thread, start

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

STARTUP_S = 30.0
"""How long the process may take to be up; importing a client takes its time on a busy machine."""
SECONDS_TO_END = 1.0
SECONDS_TO_TELL_THE_CAUSE = 2
"""How much sooner than its reader is given up a client should fail by itself."""


@dataclass(frozen=True)
class Patience:
    """How long to wait for a sign of the reader, and for its end (None: while signs come).

    Both count from the moment that the reader is up. At the instant `until_s` of the monotonic
    clock it is given up however little it had.
    """

    silence_s: float
    total_s: float | None = None
    until_s: float | None = None

    def startup_s(self) -> float:
        """Return how long to wait for the reader to be up."""
        return self._bounded(STARTUP_S)

    def left_s(self, waited_s: float) -> float:
        """Return how long to wait for the next message."""
        if self.total_s is None:
            return self._bounded(self.silence_s)
        return self._bounded(min(self.silence_s, self.total_s - waited_s))

    def _bounded(self, seconds: float) -> float:
        if self.until_s is not None:
            seconds = min(seconds, self.until_s - monotonic())
        return max(0.0, seconds)


class Overdue(Exception):
    """The reader gave no sign in time, or did not end in time; the message says which it was."""


def messages(
    module: str, arguments: Sequence[str], environment: Mapping[str, str], patience: Patience
) -> Iterator[dict[str, Any]]:
    """Run `python -m MODULE ARGUMENTS` and yield its messages; it ends with the iteration.

    Raises:
        Overdue: The reader tried the patience.
    """
    startup_s = patience.startup_s()
    silence = f"nothing came for {patience.left_s(0.0):.3g} s"
    with _lines(module, arguments, environment) as lines:
        line = _next(lines, startup_s, f"its client wasn't up within {startup_s:.3g} s")
        began_s = monotonic()
        while line is not None:
            message = json.loads(line)
            if "up" not in message:
                yield message
            left_s = patience.left_s(monotonic() - began_s)
            line = _next(lines, left_s, silence)


def _next(lines: queue.SimpleQueue[str | None], timeout_s: float, overdue: str) -> str | None:
    try:
        return lines.get(timeout=timeout_s)
    except queue.Empty as error:
        raise Overdue(overdue) from error


def say_up() -> None:
    """Print that the client is imported: from now on the time counts."""
    say("up", True)


def say(kind: str, content: object) -> None:
    """Print a message of one member; for the process that reads."""
    sys.stdout.write(json.dumps({kind: content}, default=str) + "\n")
    sys.stdout.flush()


@contextmanager
def _lines(
    module: str, arguments: Sequence[str], environment: Mapping[str, str]
) -> Iterator[queue.SimpleQueue[str | None]]:
    """Start the reader and yield its lines, None after the last."""
    # No shell, and the program is this interpreter.
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", module, *arguments],
        env={**environment, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    thread = own_thread(functools.partial(_forward, process.stdout, lines), "run-reader")
    try:
        start(thread)
        yield lines
    finally:
        process.kill()
        with suppress(subprocess.TimeoutExpired):  # the system may hold a process back
            process.wait(SECONDS_TO_END)
            own_child_ended()
        # A process that the client left behind may hold the stream open: nobody waits for that.
        with suppress(RuntimeError):  # it couldn't be started
            thread.join(SECONDS_TO_END)


def _forward(stream: IO[str] | None, lines: queue.SimpleQueue[str | None]) -> None:
    if stream is not None:
        with stream:
            for line in stream:
                lines.put(line)
    lines.put(None)
