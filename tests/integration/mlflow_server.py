"""A real MLflow tracking server on the loopback interface, in processes of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LISTENING = re.compile(r"Uvicorn running on (http://127\.0\.0\.1:\d+)")
_READY = "Application startup complete"


@contextmanager
def mlflow_server(store_uri: str, folder: Path) -> Iterator[str]:
    """Start `mlflow server` on a store and a free port, and yield its URL.

    Artifacts are kept in the folder.
    """
    options = ["--backend-store-uri", store_uri, "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", *options, "--workers", "1"],
        # The jobs, which no tracking needs, are of packages that mlflow-skinny lacks.
        env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stderr is not None
        try:
            url = _url_when_ready(server.stderr)
            # It logs each request: a pipe that nobody reads would stop it.
            threading.Thread(target=server.stderr.read, daemon=True).start()
            yield url
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


def _url_when_ready(log: Iterator[str]) -> str:
    read: list[str] = []
    url = ""
    is_ready = False
    for line in log:
        read.append(line)
        found = _LISTENING.search(line)
        url = found.group(1) if found else url
        is_ready |= _READY in line
        if url and is_ready:
            return url
    raise AssertionError("the MLflow server did not start:\n" + "".join(read))
