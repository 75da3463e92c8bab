"""Append-only record files: one JSON object a line, readable up to the last whole line."""

from __future__ import annotations

import errno
import json
import os
import threading
from contextlib import suppress
from io import FileIO  # a test may have mocks in the place of what opens files
from typing import TYPE_CHECKING, SupportsFloat, SupportsIndex

from ocr_baseline.files import refuse_beyond_limit
from ocr_baseline.model.privacy import Names, outward

if TYPE_CHECKING:
    from pathlib import Path

    from ocr_baseline.records.format import Record


SECRETS_MAX_AGE_S = 1.0
"""How old the list of the environment's secrets may be: reading it takes 30 us."""


_closed_by_others: list[FileIO] = []
"""Kept for good: at its end, each would close what has its number now."""


class RecordWriter:
    """Appends records to a file, each as one whole line that reaches the kernel at once.

    What was written survives the end of the process, `kill -9` included; a power cut may lose
    what the kernel had not yet put on disk. Safe to use from several threads. The file is that of
    the process that made it: one that is forked from it writes nothing.

    Every record passes the gate of `model.privacy`.

    Args:
        path: The file; its folder is made.
        is_made_anew: When the file is removed during the run, make it again with its headers,
            the functions of its stacks, its last tallies and how many batches are lost. A file
            that another run has put in its place stays.

    Raises:
        OSError: When the folder or the file can't be made or written.
    """

    def __init__(self, path: Path, *, is_made_anew: bool = True) -> None:
        """Open `path` for appending, making its folder."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._process = os.getpid()
        self._is_made_anew = is_made_anew
        self._lock = threading.RLock()
        self._file: FileIO | None = FileIO(path, "ab")
        self._opened = os.fstat(self._file.fileno())
        self._released: os.stat_result | None = None
        self._is_torn = False
        self._repeated: list[bytes] = []
        self._tallies: dict[tuple[str, str, str], bytes] = {}
        self._batches_written = 0
        self._names = Names()

    def write(self, record: Record) -> None:
        """Append one record; after `close`, and in a process that was forked, this does nothing."""
        if os.getpid() != self._process:  # another thread may have held the lock at the fork
            return
        line = _line(outward(record, self._names, max_age_s=SECRETS_MAX_AGE_S))
        with self._lock:
            self._notice_closing()
            if self._released is not None:
                self._open(self._reopened(self._released))
                self._released = None
            if self._file is None:
                return
            # A file without a name takes what is written to it and keeps none of it.
            if self._is_made_anew and os.fstat(self._file.fileno()).st_nlink == 0:
                removed = self._file
                self._open(self._made_anew())
                removed.close()
            self._write_line(self._file, line)
            self._remember(record, line)

    def _open(self, file: FileIO) -> None:
        self._file, self._opened = file, os.fstat(file.fileno())

    def _notice_closing(self) -> None:
        """Let go of a file that the process has closed, as one that closes all it finds open does.

        Its number may be another file's by now, of the user's, which must neither be written to
        nor closed.
        """
        if self._file is None:
            return
        with suppress(OSError):  # the number is nobody's
            if os.path.samestat(os.fstat(self._file.fileno()), self._opened):
                return
        _closed_by_others.append(self._file)
        self._file, self._released = None, self._opened

    def is_in_place(self) -> bool:
        """Whether no other file has taken the place of this one; one that was removed is made anew.

        Raises:
            OSError: When the system doesn't tell.
        """
        with self._lock:
            self._notice_closing()
            own = self._released if self._file is None else os.fstat(self._file.fileno())
            try:
                return own is not None and os.path.samestat(self.path.stat(), own)
            except FileNotFoundError:
                return True

    def _remember(self, record: Record, line: bytes) -> None:
        if record["type"] in {"header", "stack_functions"}:
            self._repeated.append(line)
        elif record["type"] == "operation":
            self._tallies[record["name"], record["stage"], record["where"]] = line
        elif record["type"] == "batches":
            self._batches_written += len(record["start_ns"])

    def _reopened(self, released: os.stat_result) -> FileIO:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return self._made_anew()
        if not os.path.samestat(found, released):
            raise FileExistsError(errno.EEXIST, "Another file is in its place", str(self.path))
        return FileIO(self.path, "ab")

    def _made_anew(self) -> FileIO:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = FileIO(self.path, "xb")
        self._is_torn = False
        lost = _line({"type": "removed", "batches": self._batches_written})
        for line in (*self._repeated, *self._tallies.values(), lost):
            self._write_line(file, line)
        return file

    def _write_line(self, file: FileIO, line: bytes) -> None:
        """Write a line; after one that was torn (a full disk), begin on a line of its own."""
        rest = memoryview(b"\n" + line if self._is_torn else line)
        refuse_beyond_limit(os.fstat(file.fileno()).st_size + len(rest))
        self._is_torn = True
        while rest:
            rest = rest[file.write(rest) :]
        self._is_torn = False

    def release(self) -> None:
        """Close the file until the next record, so that a run that rests holds none open.

        The next record goes on with the same file. One that was removed meanwhile is made anew,
        and one that another run has put in its place stays.
        """
        if os.getpid() != self._process:
            return
        with self._lock:
            self._notice_closing()
            if self._file is not None:
                self._released = os.fstat(self._file.fileno())
                self._file.close()
                self._file = None

    def close(self) -> None:
        """Close the file for good; closing twice is harmless."""
        if os.getpid() != self._process:
            return
        with self._lock:
            self.release()
            self._released = None


def _line(record: object) -> bytes:
    text = json.dumps(record, separators=(",", ":"), allow_nan=False, default=_plain)
    return text.encode() + b"\n"


def _plain(value: object) -> object:
    """Return a number of NumPy's or torch's as one of Python's, anything else as text."""
    if isinstance(value, SupportsIndex):
        return value.__index__()
    return float(value) if isinstance(value, SupportsFloat) else str(value)
