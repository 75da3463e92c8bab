"""The records of every rank of a distributed run, each reduced to its totals as it is read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ocr_baseline.model.privacy import redact_text
from ocr_baseline.model.run import RankRecord, RankStage
from ocr_baseline.records.lines import record_lines
from ocr_baseline.records.shapes import check_epoch, check_format, check_status
from ocr_baseline.records.values import (
    integers,
    line_columns,
    nanoseconds,
    number,
    sample_counts,
    whole_number,
)
from ocr_baseline.vocabulary import REPORTED_STAGES, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SECONDS = 1e-9
MAX_RANKS = 100_000
_UNUSED_TYPES = ("operation", "memory", "device_batch")
_MALFORMED = (KeyError, TypeError, ValueError, OverflowError, AttributeError)
_FILE_NAME = re.compile(r"rank_(\d{1,6})\.jsonl")


def load_ranks(folder: Path) -> tuple[RankRecord, ...]:
    """Return the totals of each rank whose records are in a folder, rank 0 too.

    Raises:
        SourceError: When a file can't be read or its format is newer.
    """
    paths = {
        int(found[1]): path
        for path in folder.glob("rank_*.jsonl")
        if (found := _FILE_NAME.fullmatch(path.name)) and int(found[1]) < MAX_RANKS
    }
    return tuple(_rank(rank, paths[rank]) for rank in sorted(paths))


def _rank(rank: int, path: Path) -> RankRecord:
    totals = _RankTotals()
    for record in record_lines(path, _UNUSED_TYPES):
        totals.take(record)
    ended_by = totals.status.get("ended_by")
    wait_s = totals.status.get("gradient_wait_s")
    return RankRecord(
        rank=rank,
        status=totals.status.get("status", "unknown"),
        ended_by=None if ended_by is None else redact_text(ended_by),
        recorded_until_s=totals.until_ns * SECONDS if totals.stages else None,
        lost_records=totals.lost_records,
        gradient_wait_s=None if wait_s is None else number(wait_s),
        stages=tuple(
            totals.stages[stage].record() for stage in REPORTED_STAGES if stage in totals.stages
        ),
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
            total_s=sum(self.lines_ns.values()) * SECONDS,
            batches_s=self.batch_ns * SECONDS,
            lines_s={line: value_ns * SECONDS for line, value_ns in self.lines_ns.items()},
        )


@dataclass
class _RankTotals:
    """What the records of one rank add up to so far."""

    stages: dict[Stage, _StageTotals] = field(default_factory=dict)
    status: Mapping[str, Any] = field(default_factory=dict)
    until_ns: int = 0
    lost_records: int = 0

    def take(self, record: Mapping[str, Any] | None) -> None:
        """Take a record in; a damaged one is counted."""
        try:
            if record is None:
                raise ValueError("a damaged line")
            self._take(record)
        except _MALFORMED:
            self.lost_records += 1

    def _take(self, record: Mapping[str, Any]) -> None:
        kind = record.get("type")
        if kind == "header":
            check_format(record)
        elif kind == "batches":
            self._take_batches(record)
        elif kind == "epoch":
            check_epoch(record)
            totals = self._totals(Stage(record["stage"]))
            totals.epochs += 1
            totals.add(record["tail_ns"])
        elif kind == "status":
            check_status(record)
            self.status = record

    def _take_batches(self, record: Mapping[str, Any]) -> None:
        start_ns = nanoseconds(record["start_ns"])
        lines_ns = {
            line: int(column.sum())
            for line, column in line_columns(record["lines_ns"], len(start_ns)).items()
        }
        sizes = sample_counts(record["samples"])
        if len(sizes) != len(start_ns) or len(integers(record["batch_idx"])) != len(start_ns):
            raise ValueError("columns of different lengths in a batches record")
        totals = self._totals(Stage(record["stage"]))
        totals.batches += len(start_ns)
        totals.samples += float(sizes.sum())
        totals.batch_ns += sum(lines_ns.values())
        totals.add(lines_ns)
        if len(start_ns):
            self.until_ns = max(self.until_ns, whole_number(int(start_ns[-1])))

    def _totals(self, stage: Stage) -> _StageTotals:
        return self.stages.setdefault(stage, _StageTotals(stage))
