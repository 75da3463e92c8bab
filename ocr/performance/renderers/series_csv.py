"""`batches.csv`: one row for each batch of a run, its time split over the breakdown's lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocr.performance.renderers.csv_text import Cell, write_csv

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ocr.performance.run import BatchTable, Run

FIXED_COLUMNS = (
    "stage",
    "dataloader_idx",
    "epoch",
    "batch_idx",
    "start_s",
    "duration_s",
    "samples",
)


def has_series(run: Run) -> bool:
    """Whether the source of the run kept any single batch."""
    return any(len(table.duration_s) for _, table in _tables(run))


def render_series_csv(run: Run) -> str:
    """Return the batches of all stages, stage by stage.

    After the fixed columns comes one for each line of any stage, in seconds: named operations as
    `op:NAME`, the hooks of other callbacks as `callbacks:NAME`. A line that a stage doesn't have,
    and a size that could not be told, is empty.
    """
    lines = list(dict.fromkeys(line for _, table in _tables(run) for line in table.lines_s))
    headers = [*FIXED_COLUMNS, *(f"{line}_s" for line in lines)]
    return write_csv(headers, _rows(run, lines))


def _tables(run: Run) -> Iterator[tuple[str, BatchTable]]:
    for record in run.stages:
        if record.batches is not None:
            yield record.stage.value, record.batches


def _rows(run: Run, lines: Sequence[str]) -> Iterator[list[Cell]]:
    for stage, table in _tables(run):
        absent = np.full(len(table.duration_s), np.nan)
        columns = [
            table.dataloader_idx,
            table.epoch,
            table.batch_idx,
            _to_the_nanosecond(table.start_s),
            _to_the_nanosecond(table.duration_s),
            table.samples,
            *(_to_the_nanosecond(table.lines_s.get(line, absent)) for line in lines),
        ]
        for row in zip(*(column.tolist() for column in columns), strict=True):
            yield [stage, *row]


def _to_the_nanosecond(
    column: NDArray[np.float64] | NDArray[np.float32],
) -> NDArray[np.float64]:
    """Round to the clock's resolution, which also drops the noise digits of single precision."""
    return np.asarray(np.round(column.astype(np.float64), 9), dtype=np.float64)
