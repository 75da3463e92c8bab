"""What the ranks of a distributed run have to agree on: one folder, and when all have written."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ocr_baseline.clocks import monotonic, sleep
from ocr_baseline.files import open_regular
from ocr_baseline.layout import records_name
from ocr_baseline.records.format import line_start
from ocr_baseline.records.lines import parse_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RANKS_WAIT_S = 3.0
"""The longest that rank 0 waits at the end of a fit for the last records of the others."""

_POLL_INTERVAL_S = 0.02
_TAIL_BYTES = 64 * 1024
_STATUS_START = line_start("status")


def wait_for_ranks(
    folder: Path, *, world_size: int, reports: int, timeout_s: float = RANKS_WAIT_S
) -> None:
    """Wait until each rank's records in the folder have ended for the report of this number.

    Without a collective call, so that a rank that died holds nobody up for longer than
    `timeout_s`; a rank whose records are on another machine is not waited for.
    """
    waiting = [
        path for rank in range(1, world_size) if (path := folder / records_name(rank)).is_file()
    ]
    deadline_s = monotonic() + timeout_s
    # Counted too: a test may stand still the clock that a deadline is told by.
    for _ in range(1 + round(timeout_s / _POLL_INTERVAL_S)):
        waiting = [path for path in waiting if not _has_reported(path, reports)]
        if not waiting or monotonic() >= deadline_s:
            return
        sleep(_POLL_INTERVAL_S)


def has_ended(path: Path) -> bool:
    """Whether the run of these records has ended, as far as they tell: a killed one has not."""
    try:
        last = next(_last_statuses(path), None)
    except OSError:
        return False
    return last is not None and last.get("status", "unknown") != "unknown"


def _has_reported(path: Path, reports: int) -> bool:
    try:
        return any(_reports(status) >= reports for status in _last_statuses(path))
    except OSError:
        return True


def _reports(status: dict[str, Any]) -> int:
    reports = status.get("reports", 0)
    return reports if isinstance(reports, int) else 0


def _last_statuses(path: Path) -> Iterator[dict[str, Any]]:
    """Return the statuses near the end of a record file, the last one first."""
    with open_regular(path) as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        lines = file.read().splitlines()
    for line in reversed(lines):
        if line.startswith(_STATUS_START):
            with suppress(ValueError):
                yield parse_line(line)
