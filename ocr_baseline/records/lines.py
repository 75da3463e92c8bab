"""The lines of a record file, each a JSON object or damaged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ocr_baseline.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_LINE_BYTES = 64 * 1024 * 1024
"""Far more than a thousand batches with hundreds of lines take; more is damage."""


def record_lines(
    path: Path, skipped_types: tuple[str, ...] = ()
) -> Iterator[dict[str, Any] | None]:
    """Yield each record of a file, None for a line that is cut off or damaged.

    Args:
        path: The file.
        skipped_types: Records that are passed over unread.

    Raises:
        SourceError: When the file can't be read.
    """
    skipped = tuple(f'{{"type":"{kind}"'.encode() for kind in skipped_types)
    try:
        with path.open("rb") as file:
            while line := file.readline(MAX_LINE_BYTES):
                if not (skipped and line.startswith(skipped)):
                    yield _record(line)
    except OSError as error:
        raise SourceError(f"{path} can't be read: {error.strerror or error}") from error


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a measurement")


def _finite(digits: str) -> float:
    value = float(digits)
    if value - value != 0.0:
        raise ValueError(f"{digits} is not a measurement")
    return value
