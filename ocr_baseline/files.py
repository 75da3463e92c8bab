"""Text from files, and into files: whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from ocr_baseline.errors import BaselineError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def read_text(path: Path) -> str:
    """Return a file's text.

    Raises:
        SourceError: When it can't be read as UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(f"can't read {path}: it isn't UTF-8 text") from error
    except OSError as error:
        raise SourceError(f"can't read {path}: {error.strerror or error}") from error


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
            file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o7777)
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
