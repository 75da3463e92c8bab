"""Records of garbage collections, which add up."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ocr_baseline.model.run import GarbageRecord
from ocr_baseline.records import checks
from ocr_baseline.vocabulary import SECONDS_PER_NS, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class _Tally:
    collections: int = 0
    full_collections: int = 0
    lines_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))


@dataclass
class RecordedGarbage:
    """Pauses of the measured thread by stage."""

    _tallies: dict[Stage, _Tally] = field(default_factory=lambda: defaultdict(_Tally))

    def take(self, record: Mapping[str, Any]) -> None:
        """Take one record in; raise `ValueError` where it holds anything but counts and times."""
        stage = Stage(record["stage"])
        collections = checks.count(record["collections"])
        full_collections = checks.count(record["full_collections"])
        lines_ns = checks.line_columns(
            {line: [value] for line, value in checks.mapping(record["lines_ns"]).items()}, 1
        )
        tally = self._tallies[stage]
        tally.collections += collections
        tally.full_collections += full_collections
        for line, column in lines_ns.items():
            tally.lines_s[line] += int(column[0]) * SECONDS_PER_NS

    def records(self) -> tuple[GarbageRecord, ...]:
        """Return one record for each stage that had a collection."""
        return tuple(
            GarbageRecord(
                stage=stage,
                collections=tally.collections,
                full_collections=tally.full_collections,
                lines_s=dict(tally.lines_s),
            )
            for stage, tally in self._tallies.items()
        )
