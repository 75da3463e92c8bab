"""A record file, line by line: each record goes to whoever takes its type, damaged ones count."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ocr_baseline.errors import SourceError
from ocr_baseline.files import open_regular, reason
from ocr_baseline.records.format import MAX_LINE_BYTES, line_start

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_MALFORMED = (KeyError, TypeError, ValueError, OverflowError, AttributeError)
"""What a record of the right type but the wrong content raises while it is taken in."""


def take_records(
    path: Path,
    takers: Mapping[str, Callable[[dict[str, Any]], None]],
    *,
    skipped_types: tuple[str, ...] = (),
) -> int:
    """Give each record of a file to the taker of its type, in the order of the file.

    Args:
        path: The file.
        takers: By type of record; records of other types are ignored, as a later version of the
            format may have some.
        skipped_types: Records that are passed over unread.

    Returns:
        How many lines were cut off or damaged, or held what their taker refused.

    Raises:
        SourceError: When the file can't be read, or a taker refuses its format.
    """
    skipped = tuple(line_start(kind) for kind in skipped_types)
    lost = 0
    try:
        with open_regular(path) as file:
            while line := file.readline(MAX_LINE_BYTES):
                if not line.startswith(skipped):
                    lost += not _is_taken(line, takers)
    except OSError as error:
        raise SourceError(f"{path} can't be read: {reason(error)}") from error
    return lost


def take_appended(
    path: Path,
    takers: Mapping[str, Callable[[dict[str, Any]], None]],
    *,
    offset: int,
    most_bytes: int,
    skipped_types: tuple[str, ...] = (),
) -> int:
    """Give the records from `offset` on to their takers, and return where to go on.

    A last line that is still being written is left for the next time; damaged ones are passed
    over. No line begins to be read once `most_bytes` were.

    Raises:
        SourceError: When the file can't be read, or a taker refuses its format.
    """
    skipped = tuple(line_start(kind) for kind in skipped_types)
    end = offset + most_bytes
    try:
        with open_regular(path) as file:
            file.seek(offset)
            while offset < end and (line := file.readline(MAX_LINE_BYTES)):
                if not line.endswith(b"\n") and len(line) < MAX_LINE_BYTES:
                    break
                offset += len(line)
                if not line.startswith(skipped):
                    _is_taken(line, takers)
    except OSError as error:
        raise SourceError(f"{path} can't be read: {reason(error)}") from error
    return offset


def _is_taken(line: bytes, takers: Mapping[str, Callable[[dict[str, Any]], None]]) -> bool:
    try:
        record = parse_line(line)
        taker = takers.get(record.get("type", ""))
        if taker is not None:
            taker(record)
    except _MALFORMED:
        return False
    return True


def parse_line(line: bytes) -> dict[str, Any]:
    """Return the JSON object of a line; raise `ValueError` when it isn't one."""
    try:
        record = json.loads(line, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("a line is nested too deep") from error
    if not isinstance(record, dict):
        raise ValueError("a line is not an object")
    return record


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a measurement")


def _finite(digits: str) -> float:
    value = float(digits)
    if value - value != 0.0:
        raise ValueError(f"{digits} is not a measurement")
    return value
