"""What a folder already holds when a run begins to record in it.

The records of an earlier run are set aside until the new one has ended with a batch, and then kept
in `earlier/` of the report's folder; they are put back when it ends without one. Those of the same
run, which another process of it began, are gone on with.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocr_baseline.files import open_regular
from ocr_baseline.layout import (
    EARLIER_FOLDER,
    MAIN_RECORDS_NAME,
    RECORDS_FOLDER,
    earlier_folder,
    records_name,
    unused,
)
from ocr_baseline.records import checks
from ocr_baseline.records.format import MAX_LINE_BYTES, line_start, unknown_status
from ocr_baseline.records.lines import parse_line, take_records
from ocr_baseline.vocabulary import REPORTED_STAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ocr_baseline.records.format import AcceleratorPeaksJson, HeaderJson, StatusJson

_ROWS = (
    "batches",
    "epoch",
    "operation",
    "memory",
    "device_batch",
    "stack_functions",
    "stack_samples",
)


def set_aside(folder: Path, rank: int, world_size: int) -> None:
    """Take away what an earlier run left of this rank, and on rank 0 of ranks that are gone.

    What holds batches waits in a folder of its own. What waits there already is of a run before,
    whose successor was killed: it is kept for good, but with several ranks, whose files can't be
    told apart while each of them moves its own, gives way.

    Raises:
        OSError: When files can't be moved or removed.
    """
    aside = folder / EARLIER_FOLDER
    found = list(_files_of(folder, rank, world_size))
    if not _has_batches(folder / records_name(rank)):
        for path in found:
            path.unlink(missing_ok=True)
        return
    if world_size == 1:
        keep_set_aside(folder)
    for path in _files_of(aside, rank, world_size):
        path.unlink(missing_ok=True)
    aside.mkdir(exist_ok=True)
    for path in found:
        with suppress(FileNotFoundError):  # another rank may have been here first
            path.replace(aside / path.name)


def is_any_set_aside(folder: Path) -> bool:
    """Whether the records of an earlier run wait to be put back or kept."""
    return (folder / EARLIER_FOLDER / MAIN_RECORDS_NAME).is_file()


def put_back(folder: Path) -> None:
    """Replace the records of every rank by those set aside."""
    aside = folder / EARLIER_FOLDER
    for path in folder.glob("rank_*.jsonl"):
        path.unlink(missing_ok=True)
    for path in aside.glob("rank_*.jsonl"):
        path.replace(folder / path.name)
    with suppress(OSError):  # something else is in there
        aside.rmdir()


def keep_set_aside(folder: Path) -> None:
    """Keep what was set aside beside the report of its run, in a folder named by when it began."""
    aside = folder / EARLIER_FOLDER
    began = _began(aside / MAIN_RECORDS_NAME)
    if began is None:
        return
    place = unused(earlier_folder(folder.parent, began), RECORDS_FOLDER)
    with suppress(OSError):  # what can't be moved now waits until the next run has ended
        place.mkdir(parents=True, exist_ok=True)
        aside.rename(place / RECORDS_FOLDER)


def _began(path: Path) -> datetime | None:
    """Return when the run of these records began, None where there are none."""
    try:
        with open_regular(path) as file:
            header = parse_line(file.readline(MAX_LINE_BYTES))
        return datetime.fromisoformat(str(header.get("written_at")))
    except (OSError, ValueError):
        return _modified(path)


def _modified(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
    except OSError:
        return None


def _files_of(folder: Path, rank: int, world_size: int) -> Iterator[Path]:
    for path in folder.glob("rank_*.jsonl"):
        number = path.name.removeprefix("rank_").removesuffix(".jsonl").partition("_")[0]
        if number.isdecimal() and (
            int(number) == rank or (rank == 0 and int(number) >= world_size)
        ):
            yield path


def _has_batches(path: Path) -> bool:
    """Whether a file holds a batch that a report tells of."""
    start = line_start("batches")
    try:
        with open_regular(path) as file:
            while line := file.readline(MAX_LINE_BYTES):
                if line.startswith(start) and parse_line(line).get("stage") in REPORTED_STAGES:
                    return True
    except (OSError, ValueError):
        return False
    return False


@dataclass
class EarlierProcess:
    """What the processes of this run have recorded so far.

    Attributes:
        started_ns: The reading of the monotonic clock that instants count from.
        processes: How many there were.
        status: The last of them, which holds what adds up.
    """

    started_ns: int
    processes: int
    status: StatusJson


def earlier_process(folder: Path, rank: int, recording: str) -> EarlierProcess | None:
    """Return what this rank's file holds of the recording of this name, None where it is another's.

    Raises:
        SourceError: When the file's format is of another version.
    """
    path = folder / records_name(rank)
    if not path.is_file():
        return None
    headers: list[HeaderJson] = []
    statuses: list[StatusJson] = [unknown_status()]
    takers: dict[str, Callable[[Mapping[str, Any]], None]] = {
        "header": lambda record: headers.append(checks.header(record)),
        "status": lambda record: statuses.append(checks.status(record)),
    }
    take_records(path, takers, skipped_types=_ROWS)
    if not headers or any(header.get("recording", recording) != recording for header in headers):
        return None
    started_ns = headers[0].get("started_ns")
    if started_ns is None:
        return None
    processes = 1 + max(header.get("earlier_processes", 0) for header in headers)
    return EarlierProcess(started_ns=started_ns, processes=processes, status=statuses[-1])


def peaks_together(
    earlier: AcceleratorPeaksJson | None, now: AcceleratorPeaksJson | None
) -> AcceleratorPeaksJson | None:
    """Return the peaks over two processes of a run, the sum of their retries and failures."""
    if earlier is None or now is None:
        return earlier or now
    return {
        "allocated_peak_bytes": max(
            earlier.get("allocated_peak_bytes", 0), now.get("allocated_peak_bytes", 0)
        ),
        "reserved_peak_bytes": max(
            earlier.get("reserved_peak_bytes", 0), now.get("reserved_peak_bytes", 0)
        ),
        "total_bytes": max(earlier.get("total_bytes", 0), now.get("total_bytes", 0)),
        "alloc_retries": earlier.get("alloc_retries", 0) + now.get("alloc_retries", 0),
        "ooms": earlier.get("ooms", 0) + now.get("ooms", 0),
    }
