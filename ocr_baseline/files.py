"""Files, opened in one way: only regular ones, and none that is larger than it can be.

A named pipe, a socket or a device in place of a file keeps its reader waiting, or never ends.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from ocr_baseline.errors import BaselineError, SourceError

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_WHOLE_BYTES = 256 * 2**20
"""Of a file that is read as a whole: a hundred times the document of the longest run."""

MAX_STREAMED_BYTES = 64 * 2**30
"""Of a file that is read piece by piece; a larger one is damage, as a file of holes can be."""

MAX_SHOWN = 300
"""Characters of a path in a message."""

_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_regular(path: Path, *, max_bytes: int = MAX_STREAMED_BYTES) -> IO[bytes]:
    """Open a regular file (or a link to one) for reading; this never waits.

    Raises:
        OSError: When it can't be opened, isn't a regular file, or is larger than `max_bytes`.
    """
    # Asked first, as opening a device can have an effect; asked again of what was then opened.
    _refuse_unless_regular(path.stat(), path, max_bytes)
    descriptor = os.open(path, os.O_RDONLY | _WITHOUT_WAITING)
    try:
        _refuse_unless_regular(os.fstat(descriptor), path, max_bytes)
    except OSError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def _refuse_unless_regular(status: os.stat_result, path: Path, max_bytes: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it isn't a regular file", str(path))
    if status.st_size > max_bytes:
        size = f"it is larger than {max_bytes / 2**20:,.0f} MiB"
        raise OSError(errno.EFBIG, size, str(path))


def working_folder() -> Path | None:
    """The process's working folder, None where it has been removed."""
    try:
        return Path.cwd()
    except OSError:
        return None


def is_regular(path: Path) -> bool:
    """Whether there is a regular file (or a link to one); False for what can't be a path."""
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises for a path that is too long


def kind_of(path: Path) -> Literal["file", "folder"] | None:
    """Return what there is at a path (what a link leads to), None for nothing.

    Raises:
        SourceError: When it is something that isn't opened, or when the path can't be one.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:  # too long, a loop of links, a null byte
        raise SourceError(f"can't read {short(path)}: {reason(error)}") from error
    if stat.S_ISDIR(mode):
        return "folder"
    if not stat.S_ISREG(mode):
        raise SourceError(f"can't read {path}: it isn't a regular file")
    return "file"


def read_bytes(path: Path) -> bytes:
    """Return what is in a file.

    Raises:
        SourceError: When it can't be read, isn't a regular file, or is too large.
    """
    try:
        with open_regular(path, max_bytes=MAX_WHOLE_BYTES) as file:
            # A file of the system has no size, and can go on for ever.
            content = file.read(MAX_WHOLE_BYTES + 1)
    except (OSError, ValueError) as error:  # a null byte in a path is a ValueError
        raise SourceError(f"can't read {short(path)}: {reason(error)}") from error
    if len(content) > MAX_WHOLE_BYTES:
        raise SourceError(f"can't read {path}: it goes on after {MAX_WHOLE_BYTES} bytes")
    return content


def read_text(path: Path) -> str:
    """Return a file's text.

    Raises:
        SourceError: When it can't be read as UTF-8.
    """
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(f"can't read {path}: it isn't UTF-8 text") from error


def reason(error: Exception) -> str:
    """Return why a file can't be read, without its path."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def short(path: object) -> str:
    """Return a path as a message shows it: a long one by its beginning and its end."""
    text = str(path)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN // 2]}...{text[-20:]}"


def refuse_beyond_limit(size: int) -> None:
    """Refuse to let a file grow beyond the process's own limit on the size of files.

    The system would do so too, but with a signal as well (SIGXFSZ), which ends a process that
    doesn't ignore it.

    Args:
        size: What the file would have, in bytes.

    Raises:
        OSError: When that is beyond the limit.
    """
    if sys.platform != "win32":  # which has no such limit
        limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
        if 0 <= limit < size:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))


def write_text_atomically(path: Path, text: str) -> None:
    """Write text so that the file holds either what it held before or all of the text.

    Missing folders are made; a link is followed; a device or a pipe is written to directly.

    Raises:
        BaselineError: When the file can't be written; an earlier file is as it was.
    """
    write_parts_atomically(path, (text,))


def write_parts_atomically(path: Path, parts: Iterable[str]) -> None:
    """Write a long text that comes in parts, as `write_text_atomically` does.

    Raises:
        BaselineError: When the file can't be written; an earlier file is as it was.
    """
    content = (part.encode("utf-8", "replace") for part in parts)
    try:
        target = path.resolve()
        if target.exists() and not target.is_file() and not target.is_dir():
            with target.open("wb") as file:
                file.writelines(content)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, content)
    except (OSError, RuntimeError, ValueError) as error:
        # Path.resolve raises RuntimeError for a loop of links, ValueError for a null byte.
        detail = error.strerror if isinstance(error, OSError) else None
        raise BaselineError(f"can't write {path}: {detail or error}") from error


def _replace(target: Path, content: Iterable[bytes]) -> None:
    temporary = target.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        with temporary.open("xb") as file:
            for part in content:
                refuse_beyond_limit(file.tell() + len(part))
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o7777)
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
