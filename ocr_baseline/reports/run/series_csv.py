"""`batches.csv`: one row for each batch of a run, its time split over the breakdown's lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.reports.text.csv_columns import number_cells, rows_text, seconds_cells
from ocr_baseline.reports.text.csv_text import write_csv

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocr_baseline.model.run import BatchTable, Run

ROWS_A_PART = 10_000

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
    return any(len(table.duration_s) for _, table in batch_tables(run))


def render_series_csv(run: Run) -> str:
    """Return the batches of all stages, stage by stage.

    After the fixed columns comes one for each line of any stage, in seconds: named operations as
    `op:NAME`, the hooks of other callbacks as `callbacks:NAME`. A line that a stage doesn't have,
    and a size that could not be told, is empty.
    """
    return "".join(series_csv_parts(run))


def series_csv_parts(run: Run) -> Iterator[str]:
    """Yield the text of `render_series_csv` piece by piece, so that it need not fit in memory."""
    lines = list(dict.fromkeys(line for _, table in batch_tables(run) for line in table.lines_s))
    yield write_csv([*FIXED_COLUMNS, *(f"{line}_s" for line in lines)], ())
    for stage, table in batch_tables(run):
        for start in range(0, len(table.duration_s), ROWS_A_PART):
            yield _rows(stage, table, lines, slice(start, start + ROWS_A_PART))


def batch_tables(run: Run) -> Iterator[tuple[str, BatchTable]]:
    """Yield the batches of each stage whose source kept single ones."""
    for record in run.stages:
        if record.batches is not None:
            yield record.stage.value, record.batches


def _rows(stage: str, table: BatchTable, lines: Sequence[str], rows: slice) -> str:
    start_s = table.start_s[rows]
    absent = [np.full(len(start_s), b"")]
    return rows_text(
        [
            [np.full(len(start_s), stage.encode())],
            number_cells(table.dataloader_idx[rows]),
            number_cells(table.epoch[rows]),
            number_cells(table.batch_idx[rows]),
            seconds_cells(start_s),
            seconds_cells(table.duration_s[rows]),
            number_cells(table.samples[rows]),
            *(
                seconds_cells(table.lines_s[line][rows]) if line in table.lines_s else absent
                for line in lines
            ),
        ]
    )
