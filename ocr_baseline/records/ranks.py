"""The records of every rank of a distributed run, each reduced to its totals as it is read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ocr_baseline.errors import SourceError
from ocr_baseline.model.privacy import redact_text
from ocr_baseline.model.run import RankRecord, RankStage
from ocr_baseline.records import checks
from ocr_baseline.records.format import MAX_RANKS, unknown_status
from ocr_baseline.records.lines import take_records
from ocr_baseline.vocabulary import REPORTED_STAGES, SECONDS_PER_NS, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ocr_baseline.records.format import StatusJson

_UNUSED_TYPES = ("operation", "memory", "device_batch", "stack_functions", "stack_samples")
_FILE_NAME = re.compile(r"rank_(\d{1,6})\.jsonl")


def load_ranks(folder: Path, note: Callable[[Path, SourceError], None]) -> tuple[RankRecord, ...]:
    """Return the totals of each rank whose records are in a folder, rank 0 too.

    `note` hears of a file that can't be read, or whose format is newer.
    """
    paths = {
        int(found[1]): path
        for path in folder.glob("rank_*.jsonl")
        if (found := _FILE_NAME.fullmatch(path.name)) and int(found[1]) < MAX_RANKS
    }
    ranks: list[RankRecord] = []
    for rank in sorted(paths):
        try:
            ranks.append(_rank(rank, paths[rank]))
        except SourceError as error:
            note(paths[rank], error)
    return tuple(ranks)


def _rank(rank: int, path: Path) -> RankRecord:
    totals = RankTotals()
    lost_records = take_records(path, totals.takers(), skipped_types=_UNUSED_TYPES)
    ended_by = totals.status.get("ended_by")
    wait_s = totals.status.get("gradient_wait_s")
    return RankRecord(
        rank=rank,
        status=totals.status["status"],
        ended_by=None if ended_by is None else redact_text(ended_by),
        recorded_until_s=totals.until_ns * SECONDS_PER_NS if totals.stages else None,
        lost_records=lost_records,
        gradient_wait_s=None if wait_s is None else float(wait_s),
        stages=totals.records(),
    )


@dataclass
class _StageTotals:
    stage: Stage
    batches: int = 0
    epochs: int = 0
    samples: float = 0.0
    batch_ns: int = 0
    lines_ns: dict[str, int] = field(default_factory=dict)

    def add(self, lines_ns: Mapping[str, int]) -> None:
        for line, value_ns in lines_ns.items():
            self.lines_ns[line] = self.lines_ns.get(line, 0) + value_ns

    def record(self) -> RankStage:
        return RankStage(
            stage=self.stage,
            batches=self.batches,
            epochs=self.epochs,
            samples=None if np.isnan(self.samples) or not self.batches else int(self.samples),
            total_s=sum(self.lines_ns.values()) * SECONDS_PER_NS,
            batches_s=self.batch_ns * SECONDS_PER_NS,
            lines_s={line: value_ns * SECONDS_PER_NS for line, value_ns in self.lines_ns.items()},
        )


@dataclass
class RankTotals:
    """What the records of one rank add up to so far."""

    stages: dict[Stage, _StageTotals] = field(default_factory=dict)
    status: StatusJson = field(default_factory=unknown_status)
    until_ns: int = 0

    def takers(self) -> dict[str, Callable[[Mapping[str, Any]], None]]:
        """Return what takes each type of record in."""
        return {
            "header": checks.check_format,
            "batches": self._take_batches,
            "epoch": self._take_epoch,
            "status": self._take_status,
        }

    def records(self) -> tuple[RankStage, ...]:
        """Return the totals of each stage so far."""
        return tuple(
            self.stages[stage].record() for stage in REPORTED_STAGES if stage in self.stages
        )

    def _take_batches(self, record: Mapping[str, Any]) -> None:
        self.add_batches(checks.batches(record))

    def add_batches(self, columns: checks.Batches) -> None:
        """Add the batches of one record."""
        lines_ns = {line: int(column.sum()) for line, column in columns.lines_ns.items()}
        totals = self._totals(columns.stage)
        totals.batches += len(columns.start_ns)
        totals.samples += float(columns.samples.sum())
        totals.batch_ns += sum(lines_ns.values())
        totals.add(lines_ns)
        if len(columns.start_ns):
            self.until_ns = max(self.until_ns, int(columns.start_ns[-1]))

    def _take_epoch(self, record: Mapping[str, Any]) -> None:
        epoch = checks.epoch(record)
        totals = self._totals(Stage(epoch["stage"]))
        totals.epochs += 1
        totals.add(epoch["tail_ns"])

    def _take_status(self, record: Mapping[str, Any]) -> None:
        self.status = checks.status(record)

    def _totals(self, stage: Stage) -> _StageTotals:
        return self.stages.setdefault(stage, _StageTotals(stage))
