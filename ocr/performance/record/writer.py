"""Append-only record files: one JSON object a line, readable up to the last whole line."""

from __future__ import annotations

import json
import threading
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMAT_NAME = "ocr-baseline-records"
FORMAT_VERSION = 1


class RecordWriter:
    """Appends records to a file, each as one whole line that reaches the kernel at once.

    What was written survives the end of the process, `kill -9` included; a power cut may lose
    what the kernel had not yet put on disk. Safe to use from several threads.

    Raises:
        OSError: When the folder or the file can't be made or written.
    """

    def __init__(self, path: Path) -> None:
        """Open `path` for appending, making its folder."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = path.open("ab", buffering=0)
        self._is_torn = False

    def write(self, record: Mapping[str, object]) -> None:
        """Append one record; after `close` this does nothing."""
        line = json.dumps(record, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        with self._lock:
            if self._file is not None:
                self._write_line(self._file, line)

    def _write_line(self, file: IO[bytes], line: bytes) -> None:
        """Write a line; after one that was torn (a full disk), begin on a line of its own."""
        rest = memoryview(b"\n" + line if self._is_torn else line)
        self._is_torn = True
        while rest:
            rest = rest[file.write(rest) :]
        self._is_torn = False

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
