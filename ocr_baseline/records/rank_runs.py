"""What each rank of a distributed run recorded itself, one rank at a time, on rank 0's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ocr_baseline.errors import SourceError
from ocr_baseline.files import open_regular, reason
from ocr_baseline.layout import MAIN_RECORDS_NAME, records_name
from ocr_baseline.model.rank_run import RankRun
from ocr_baseline.records import checks, reader
from ocr_baseline.records.format import MAX_LINE_BYTES
from ocr_baseline.records.lines import parse_line
from ocr_baseline.vocabulary import SECONDS_PER_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SAME_CLOCK_S = 5.0
"""Monotonic clocks and dates of two machines never agree so well by chance; those of one do."""


@dataclass(frozen=True)
class _Began:
    monotonic_s: float | None
    written_at: datetime | None


def rank_runs(folder: Path, ranks: Iterable[int]) -> Iterator[RankRun]:
    """Yield the runs of these ranks, each read when it is asked for.

    Ranks whose records can't be read are passed over: `Run.measurement` tells of them.

    Args:
        folder: The folder of the records.
        ranks: Which ranks; rank 0 is a `Run` of its own, with all that its workers recorded.
    """
    began = _began(folder / MAIN_RECORDS_NAME)
    for rank in ranks:
        path = folder / records_name(rank)
        try:
            run = reader.load_rank(path)
            offset_s, is_same_clock = _offset_s(began, _began(path))
        except SourceError:
            continue
        yield RankRun(rank=rank, run=run, offset_s=offset_s, is_same_clock=is_same_clock)


def _began(path: Path) -> _Began:
    """Return when the process that wrote a file of records began to record, as its header says.

    Raises:
        SourceError: The file can't be read or is of a newer format.
    """
    try:
        with open_regular(path) as file:
            header = checks.header(parse_line(file.readline(MAX_LINE_BYTES)))
    except OSError as error:
        raise SourceError(f"{path} can't be read: {reason(error)}") from error
    except (ValueError, TypeError):  # the first line is damaged; a later header may be whole
        return _Began(None, None)
    started_ns, written_at = header.get("started_ns"), header.get("written_at")
    return _Began(
        None if started_ns is None else started_ns * SECONDS_PER_NS,
        None if written_at is None else datetime.fromisoformat(written_at),
    )


def _offset_s(first: _Began, other: _Began) -> tuple[float, bool]:
    """Return how much later the other began, and whether one clock told both instants."""
    by_date_s = None
    if first.written_at is not None and other.written_at is not None:
        by_date_s = (other.written_at - first.written_at).total_seconds()
    if first.monotonic_s is not None and other.monotonic_s is not None:
        by_clock_s = other.monotonic_s - first.monotonic_s
        if by_date_s is None or abs(by_clock_s - by_date_s) < SAME_CLOCK_S:
            return by_clock_s, True
    return by_date_s or 0.0, False
