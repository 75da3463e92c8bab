"""The records of a run that is going on: each look reads what was appended since the last one."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ocr_baseline.errors import SourceError
from ocr_baseline.files import reason
from ocr_baseline.layout import MAIN_RECORDS_NAME
from ocr_baseline.model.progress import Progress
from ocr_baseline.records import checks
from ocr_baseline.records.format import unknown_status
from ocr_baseline.records.lines import take_appended
from ocr_baseline.records.ranks import RankTotals
from ocr_baseline.vocabulary import SECONDS_PER_NS, Stage

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from pathlib import Path

MOST_BYTES_A_LOOK = 16 * 1024 * 1024
RECENT_NS = 15 * 10**9
MOST_RECENT = 1000
"""Records of batches that recent times are of."""
_UNUSED_TYPES = ("operation", "device_batch", "stack_functions", "stack_samples", "garbage")


class Following:
    """The records of rank 0 as they grow; what is kept doesn't grow with them.

    A file that another run has put in its place begins anew.
    """

    def __init__(self, folder: Path) -> None:
        """Take the folder of the records; nothing is read yet."""
        self._path = folder / MAIN_RECORDS_NAME
        self._identity: tuple[int, int] | None = None
        self._offset = 0
        self._taken = _Taken()
        self.size_bytes = 0
        self.written_at = 0.0

    def catch_up(self) -> Progress:
        """Read what was appended, at most `MOST_BYTES_A_LOOK` at a time: `is_behind` says if so.

        Raises:
            SourceError: When the file can't be read or its format is newer.
        """
        try:
            status = self._path.stat()
        except FileNotFoundError:  # a new run is about to begin in the folder
            return self._taken.progress()
        except OSError as error:
            raise SourceError(f"{self._path} can't be read: {reason(error)}") from error
        if self._is_another(status):
            self._identity = (status.st_dev, status.st_ino)
            self._offset, self._taken = 0, _Taken()
        self._offset = take_appended(
            self._path,
            self._taken.takers(),
            offset=self._offset,
            most_bytes=MOST_BYTES_A_LOOK,
            skipped_types=_UNUSED_TYPES,
        )
        self.size_bytes, self.written_at = status.st_size, status.st_mtime
        return self._taken.progress()

    @property
    def is_behind(self) -> bool:
        """Whether a whole look's worth was there at the last look and is still to be read."""
        return self.size_bytes - self._offset >= MOST_BYTES_A_LOOK

    def _is_another(self, status: os.stat_result) -> bool:
        return self._identity != (status.st_dev, status.st_ino) or status.st_size < self._offset


class _Recent(NamedTuple):
    stage: Stage
    end_ns: int
    batches: int
    samples: float
    took_ns: int


@dataclass
class _Taken(RankTotals):
    """The totals of a rank, and what is new in them."""

    name: str | None = None
    stage: Stage | None = None
    epoch: int | None = None
    end_ns: int = 0
    memory_bytes: float | None = None
    recent: deque[_Recent] = field(default_factory=lambda: deque(maxlen=MOST_RECENT))

    def takers(self) -> dict[str, Callable[[Mapping[str, Any]], None]]:
        return super().takers() | {"header": self._take_header, "memory": self._take_memory}

    def add_batches(self, columns: checks.Batches) -> None:
        super().add_batches(columns)
        if not len(columns.start_ns):
            return
        took_ns = sum(columns.lines_ns.values(), np.zeros_like(columns.start_ns))
        end_ns = int(columns.start_ns[-1] + took_ns[-1])
        self.recent.append(
            _Recent(
                columns.stage,
                end_ns,
                len(columns.start_ns),
                float(columns.samples.sum()),
                int(took_ns.sum()),
            )
        )
        self.status = unknown_status()  # a run may go on after one of its stages has ended
        self._is_at(columns.stage, end_ns)
        self.epoch = int(columns.epoch[-1])

    def _take_header(self, record: Mapping[str, Any]) -> None:
        who = checks.header(record).get("run") or {}
        self.name = who.get("name") or who.get("id") or self.name

    def _take_memory(self, record: Mapping[str, Any]) -> None:
        at_ns = checks.readings(record["at_ns"])
        main = checks.readings(record["main_rss_bytes"])
        workers = checks.readings(record["workers_rss_bytes"])
        if at_ns:
            read = main[-1] + workers[-1]
            self.memory_bytes = None if np.isnan(read) else read
            self._is_at(Stage(record["stage"][-1]), int(at_ns[-1]))

    def _is_at(self, stage: Stage, at_ns: int) -> None:
        if at_ns >= self.end_ns:
            self.epoch = self.epoch if stage is self.stage else None
            self.stage, self.end_ns = stage, at_ns

    def progress(self) -> Progress:
        """Return how far the run is."""
        recent = [
            one
            for one in self.recent
            if one.stage is self.stage and one.end_ns > self.end_ns - RECENT_NS
        ]
        took_s = sum(one.took_ns for one in recent) * SECONDS_PER_NS
        batches, samples = sum(one.batches for one in recent), sum(one.samples for one in recent)
        has_samples = took_s > 0 and not np.isnan(samples)
        return Progress(
            name=self.name,
            status=self.status["status"],
            ended_by=self.status.get("ended_by"),
            stage=self.stage,
            epoch=self.epoch,
            recorded_until_s=self.end_ns * SECONDS_PER_NS,
            recent_samples_per_s=samples / took_s if has_samples else None,
            recent_batch_s=took_s / batches if batches else None,
            memory_bytes=self.memory_bytes,
            stages=self.records(),
        )
