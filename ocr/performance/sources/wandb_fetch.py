"""One W&B run as the server holds it, asked for by a process that can be given up."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from ocr.performance.errors import SourceError
from ocr.performance.sources.wandb_errors import overdue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ocr.performance.sources.wandb_reference import RunReference

_READER = "ocr.performance.sources.wandb_reader"
_GRAPHQL_RETRIES = 1
_GRAPHQL_RETRY_WAIT_S = 1
_SECONDS_TO_TELL_THE_CAUSE = 2


@dataclass(frozen=True, kw_only=True)
class FetchedRun:
    """A run as the server told it; `rows` are those of its history that hold a known metric."""

    id: str
    project: str | None
    entity: str | None
    name: str | None
    url: str | None
    state: str
    created_at: str | None
    config: Mapping[str, object]
    summary: Mapping[str, object]
    rows: Sequence[Mapping[str, object]]
    system_rows: Sequence[Mapping[str, object]]


def fetch(reference: RunReference, timeout_s: float) -> FetchedRun:
    """Return the run; give up when nothing has come from the server for `timeout_s` seconds.

    Raises:
        SourceError: The client is missing, the run is missing or was deleted, the key is absent
            or refused, the server is out of reach, fails or hangs.
    """
    server = "the configured server"
    rows: list[Mapping[str, object]] = []
    with _reader(reference.path, timeout_s) as lines:
        while True:
            try:
                line = lines.get(timeout=timeout_s)
            except queue.Empty as error:
                raise overdue(reference.path, server, timeout_s) from error
            if line is None:
                raise SourceError(f"W&B run {reference.path} at {server}: its reader broke off")
            message = json.loads(line)
            if "error" in message:
                raise SourceError(message["error"])
            if "run" in message:
                return FetchedRun(rows=rows, **message["run"])
            server = message.get("server", server)
            if "row" in message:
                rows.append(message["row"])


@contextmanager
def _reader(path: str, timeout_s: float) -> Iterator[queue.SimpleQueue[str | None]]:
    """Start the reader and yield its lines, None after the last; it ends with the context."""
    # No shell, and the program is this interpreter.
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", _READER, path, str(timeout_s)],
        env=_environment(timeout_s),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    ) as process:
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        arguments = (process.stdout, lines)
        thread = threading.Thread(target=_forward, args=arguments, name="wandb-reader", daemon=True)
        thread.start()
        try:
            yield lines
        finally:
            process.kill()
            thread.join()


def _forward(stream: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def _environment(timeout_s: float) -> dict[str, str]:
    """Return the reader's environment: a client that fails soon, says nothing and never prompts.

    The service of a run that is live in this process is left alone: the reader starts its own.
    """
    environment = {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"}
    return environment | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "WANDB_HTTP_TIMEOUT": str(max(1, int(timeout_s - _SECONDS_TO_TELL_THE_CAUSE))),
        "WANDB_SILENT": "true",
        "WANDB_X_GRAPHQL_RETRY_MAX": str(_GRAPHQL_RETRIES),
        "WANDB_X_GRAPHQL_RETRY_WAIT_MAX_SECONDS": str(_GRAPHQL_RETRY_WAIT_S),
    }
