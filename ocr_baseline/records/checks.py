"""Records of a file, checked: each function returns what was meant or raises `ValueError`.

Record files may be damaged or written by anybody; what is not of the right kind must not pass for
a measurement. A part that is missing raises what the look-up raises (`lines.MALFORMED`).
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, cast, get_args

import numpy as np

from ocr_baseline.errors import SourceError
from ocr_baseline.records.format import (
    FORMAT_NAME,
    FORMAT_VERSION,
    LARGEST_COUNT,
    LARGEST_NS,
    LARGEST_NUMBER,
    Place,
)
from ocr_baseline.vocabulary import RunStatus, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from ocr_baseline.records.format import EpochJson, HeaderJson, OperationJson, StatusJson


class Batches(NamedTuple):
    """The columns of one record of batches, each of shape (batches,)."""

    stage: Stage
    epoch: NDArray[np.int64]
    batch_idx: NDArray[np.int64]
    dataloader_idx: NDArray[np.int64]
    samples: NDArray[np.float64]
    start_ns: NDArray[np.int64]
    lines_ns: dict[str, NDArray[np.int64]]


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


def header(record: Mapping[str, Any]) -> HeaderJson:
    """Return a header.

    Raises:
        SourceError: When it is of another format or of a newer version.
    """
    check_format(record)
    _check_optional(record, "clock", text)
    _check_optional(record, "config", mapping)
    _check_optional(record, "config_hash", text)
    _check_optional(record, "world_size", count)
    _check_optional(record, "started_ns", whole_number)
    _check_optional(record, "earlier_processes", count)
    _check_optional(record, "sampling_hz", number)
    _check_optional(record, "no_sampling", text)
    _check_optional(record, "start", _start)
    for name in record.get("operations") or []:
        text(name)
    _check_optional(record, "written_at", lambda value: datetime.fromisoformat(text(value)))
    for value in mapping(record.get("run") or {}).values():
        if value is not None:
            text(value)
    for part in mapping(record.get("environment") or {}).values():
        mapping(part)
    return cast("HeaderJson", record)


def _start(value: Any) -> None:
    start = mapping(value)
    for key in ("process_ns", "callback_ns", "fit_ns"):
        _check_optional(start, key, lambda value: nanoseconds([value]))
    for key in ("clock", "why_not"):
        _check_optional(start, key, text)
    nanoseconds(list(mapping(start.get("actions_ns") or {}).values()))


def status(record: Mapping[str, Any]) -> StatusJson:
    """Return how a run ended."""
    if record["status"] not in get_args(RunStatus):
        raise ValueError(f"{record['status']!r} is not the status of a run")
    _check_optional(record, "ended_by", text)
    for key in ("at_ns", "event_cost_ns", "background_cpu_ns", "gradient_wait_s"):
        _check_optional(record, key, number)
    _check_optional(record, "discarded_batches", count)
    _check_optional(record, "reports", count)
    numbers = (("memory", whole_number), ("stage_peaks", whole_number), ("volatile", number))
    for key, check in numbers:
        for value in mapping(record.get(key) or {}).values():
            if value is not None:
                check(value)
    return cast("StatusJson", record)


def epoch(record: Mapping[str, Any]) -> EpochJson:
    """Return a finished pass."""
    Stage(record["stage"])
    for key in ("batches", "events", "epoch"):
        count(record[key])
    nanoseconds([record["start_ns"], *mapping(record["tail_ns"]).values()])
    for key in ("read_bytes", "disk_read_bytes", "disk_wait_ns"):
        _check_optional(record, key, number)
    for key in ("cpu_ns", "thread_ns", "queued_ns"):
        _check_optional(record, key, number)
    return cast("EpochJson", record)


def batches(record: Mapping[str, Any]) -> Batches:
    """Return the columns of finished batches."""
    start_ns = nanoseconds(record["start_ns"])
    taken = Batches(
        stage=Stage(record["stage"]),
        epoch=counts(record["epoch"]),
        batch_idx=counts(record["batch_idx"]),
        dataloader_idx=counts(record["dataloader_idx"]),
        samples=sample_counts(record["samples"]),
        start_ns=start_ns,
        lines_ns=line_columns(record["lines_ns"], len(start_ns)),
    )
    columns = (taken.epoch, taken.batch_idx, taken.dataloader_idx, taken.samples)
    if any(column.shape != start_ns.shape for column in columns):
        raise ValueError("columns of different lengths in a record of batches")
    return taken


def operation(record: Mapping[str, Any]) -> OperationJson:
    """Return the totals of an operation."""
    text(record["name"])
    Stage(record["stage"])
    if text(record["where"]) not in get_args(Place):
        raise ValueError(f"{record['where']!r} is not where an operation can run")
    whole_number(record.get("pid", 0))
    count(record["calls"])
    exclusive_ns = record["exclusive_ns"] if record["where"] == "thread" else 0
    nanoseconds([record["total_ns"], exclusive_ns])
    nanoseconds(record["call_sample_ns"])
    return cast("OperationJson", record)


def _check_optional(record: Mapping[str, Any], key: str, check: Callable[[Any], object]) -> None:
    value = record.get(key)
    if value is not None:
        check(value)


def integers(values: Any) -> NDArray[np.int64]:
    """Return a list of integers as a column, shape (values,)."""
    column = np.asarray(values)
    if column.ndim != 1 or not isinstance(values, list):
        raise ValueError("a column is not a list of numbers")
    if len(column) and column.dtype.kind != "i":
        raise ValueError("a column holds something else than integers")
    return column.astype(np.int64, copy=False)


def nanoseconds(values: Any) -> NDArray[np.int64]:
    """Return a list of times as a column, shape (values,); none may be negative."""
    column = integers(values)
    if ((column < 0) | (column > LARGEST_NS)).any():
        raise ValueError("a time is negative or longer than nine years")
    return column


def counts(values: Any) -> NDArray[np.int64]:
    """Return a list of counts, or of numbers that begin at 0, as a column, shape (values,)."""
    column = integers(values)
    if ((column < 0) | (column > LARGEST_COUNT)).any():
        raise ValueError("a count is negative or more than a run can hold")
    return column


def line_columns(value: Any, count: int) -> dict[str, NDArray[np.int64]]:
    """Return a column of `count` times for each line."""
    lines = {line: nanoseconds(column) for line, column in mapping(value).items()}
    if any(len(column) != count for column in lines.values()):
        raise ValueError("columns of different lengths")
    if sum(float(column.max(initial=0)) for column in lines.values()) > 2**62:
        raise ValueError("the lines of a batch add up to more than a run can last")
    return lines


def readings(values: Any) -> list[float]:
    """Return finite numbers from 0 up, NaN in place of null."""
    if not isinstance(values, list):
        raise ValueError("a column is not a list of numbers")
    return [math.nan if value is None else number(value) for value in values]


def readings_column(values: Any) -> NDArray[np.float64]:
    """Return the same as a column, shape (values,); integers alone, which are many, go fast."""
    if isinstance(values, list) and set(map(type, values)) == {int}:
        column = np.asarray(values)
        if column.dtype.kind == "i" and (column >= 0).all():
            return column.astype(np.float64)
    return np.asarray(readings(values), dtype=np.float64)


def sample_counts(values: Any) -> NDArray[np.float64]:
    """Return the samples of each batch as a column, NaN in place of null, shape (values,)."""
    column = readings_column(values)
    if (column > LARGEST_COUNT).any():
        raise ValueError("a batch of more samples than a run can hold")
    return column


def number(value: Any) -> float:
    """Return a number from 0 up of which many still add up to a finite one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is not a number")
    if not 0 <= value <= LARGEST_NUMBER:
        raise ValueError(f"{value!r} is not a measurement")
    return float(value)


def count(value: Any) -> int:
    """Return an integer from 0 up of which many still add up to one of 63 bits."""
    if whole_number(value) > LARGEST_COUNT:
        raise ValueError(f"{value!r} is more than a run can hold")
    return int(value)


def whole_number(value: Any) -> int:
    """Return an integer from 0 up that fits into 63 bits."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError(f"{value!r} is not a count")
    return value


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a JSON object."""
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is not an object")
    return value


def text(value: Any) -> str:
    """Return a string."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a text")
    return value
