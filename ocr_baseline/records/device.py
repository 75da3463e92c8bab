"""Batches that were timed on the device's own clock."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ocr_baseline.model.run import DeviceBatches
from ocr_baseline.records.values import count, line_columns
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS = np.float64(1e-9)


@dataclass
class RecordedDevice:
    """Device batches by stage, in the order of the file."""

    rows: dict[Stage, list[tuple[int, bool, dict[str, int]]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    clock: str = ""

    def take(self, record: Mapping[str, Any]) -> None:
        """Take one record in; raise `ValueError` on what is no time or place."""
        columns = line_columns({name: [value] for name, value in record["lines_ns"].items()}, 1)
        lines_ns = {line: int(column[0]) for line, column in columns.items()}
        row = (count(record["position"]), bool(record["is_first_of_epoch"]), lines_ns)
        self.rows[Stage(record["stage"])].append(row)
        self.clock = str(record["clock"])

    def batches(self, stage: Stage) -> DeviceBatches | None:
        """Return the stage's batches, None when none was timed."""
        rows = self.rows.get(stage)
        if not rows:
            return None
        lines = sorted({line for _, _, lines_ns in rows for line in lines_ns})
        return DeviceBatches(
            clock=self.clock,
            position=np.asarray([position for position, _, _ in rows], dtype=np.int64),
            is_first_of_epoch=np.asarray([is_first for _, is_first, _ in rows], dtype=np.bool_),
            lines_s={
                line: np.asarray([lines_ns.get(line, 0) for _, _, lines_ns in rows]) * SECONDS
                for line in lines
            },
        )
