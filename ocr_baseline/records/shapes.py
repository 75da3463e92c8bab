"""What headers, status and epoch records must look like before anything is read from them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from ocr_baseline.errors import SourceError
from ocr_baseline.records.values import (
    count,
    mapping,
    nanoseconds,
    number,
    run_status,
    text,
    whole_number,
)
from ocr_baseline.records.writer import FORMAT_NAME, FORMAT_VERSION
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def check_format(record: Mapping[str, Any]) -> None:
    """Refuse records of another kind or of a newer version.

    Raises:
        SourceError: When this version can't read them.
        ValueError: When the version is not a number.
    """
    version = whole_number(record.get("version", 0))
    if record.get("format") != FORMAT_NAME or version > FORMAT_VERSION:
        raise SourceError(
            f"the records are of format {record.get('format')!r}, version {version}; this version "
            f"of ocr-baseline reads {FORMAT_NAME!r} up to version {FORMAT_VERSION}: upgrade it"
        )


def check_header(record: Mapping[str, Any]) -> None:
    """Raise `ValueError` unless every part of a header is of its kind."""
    check_format(record)
    _check_optional(record, "clock", text)
    _check_optional(record, "config", mapping)
    _check_optional(record, "config_hash", text)
    _check_optional(record, "world_size", count)
    _check_optional(record, "written_at", lambda value: datetime.fromisoformat(text(value)))
    for value in mapping(record.get("run") or {}).values():
        if value is not None:
            text(value)
    for part in mapping(record.get("environment") or {}).values():
        mapping(part)


def check_status(record: Mapping[str, Any]) -> None:
    """Raise `ValueError` unless every part of a status record is of its kind."""
    run_status(record["status"])
    _check_optional(record, "ended_by", text)
    for key in ("at_ns", "event_cost_ns", "background_cpu_ns", "gradient_wait_s"):
        _check_optional(record, key, number)
    _check_optional(record, "discarded_batches", count)
    for key, check in (("memory", whole_number), ("volatile", number)):
        for value in mapping(record.get(key) or {}).values():
            if value is not None:
                check(value)


def check_epoch(record: Mapping[str, Any]) -> None:
    """Raise `ValueError` unless every part of an epoch record is of its kind."""
    Stage(record["stage"])
    for key in ("batches", "events", "epoch"):
        count(record[key])
    nanoseconds([record["start_ns"], *mapping(record["tail_ns"]).values()])


def _check_optional(record: Mapping[str, Any], key: str, check: Callable[[Any], object]) -> None:
    value = record.get(key)
    if value is not None:
        check(value)
