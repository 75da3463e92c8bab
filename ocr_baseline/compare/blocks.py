"""Means of consecutive blocks of a run's steady batches, from its table of batches."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.analysis.phases.stage_times import StageTimes
from ocr_baseline.errors import SourceError
from ocr_baseline.model.run import BatchTable, StageRecord
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MIN_BATCHES = 4
_COLUMNS = ("stage", "dataloader_idx", "epoch", "batch_idx", "duration_s")


def block_means(values_s: Sequence[float] | NDArray[np.float64]) -> tuple[float, ...]:
    """Return the means of ceil(sqrt(n)) consecutive blocks, none below four values.

    Neighbouring batches resemble each other; the means of such blocks hardly do.
    """
    values = np.asarray(values_s, dtype=np.float64)
    if len(values) < MIN_BATCHES:
        return ()
    blocks = np.array_split(values, math.ceil(math.sqrt(len(values))))
    return tuple(float(block.mean()) for block in blocks)


def block_means_of_stages(stages: Sequence[StageRecord]) -> dict[str, tuple[float, ...]]:
    """Return the block means of each recorded stage's steady batches, in seconds."""
    found = {}
    for record in stages:
        if record.batches is not None:
            times = StageTimes(record)
            means = block_means(times.durations_s[times.is_steady])
            if means:
                found[record.stage.value] = means
    return found


def block_means_of_csv(text: str, place: str) -> dict[str, tuple[float, ...]]:
    """Return the same from the text of a `batches.csv`; `place` is where it came from.

    Raises:
        SourceError: When the table lacks a column or holds what is no number.
    """
    rows: dict[str, list[list[float]]] = {}
    try:
        for row in csv.DictReader(io.StringIO(text)):
            numbers = [float(row[column]) for column in _COLUMNS[1:]]
            rows.setdefault(row["stage"], []).append(numbers)
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise SourceError(f"{place} is no table of batches: {error!r}") from error
    known = {stage.value for stage in Stage}
    return block_means_of_stages(
        [_record(Stage(name), values) for name, values in rows.items() if name in known]
    )


def _record(stage: Stage, rows: Sequence[Sequence[float]]) -> StageRecord:
    loader, epoch, batch, duration_s = np.asarray(rows, dtype=np.float64).T
    nothing = np.zeros(len(rows))
    table = BatchTable(
        epoch=epoch.astype(np.int64),
        batch_idx=batch.astype(np.int64),
        dataloader_idx=loader.astype(np.int64),
        start_s=nothing,
        duration_s=duration_s,
        samples=nothing,
        lines_s={},
    )
    return StageRecord(stage=stage, batches=table)
