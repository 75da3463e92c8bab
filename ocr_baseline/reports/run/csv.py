"""The CSV files of one run, in SI units: every number of its baseline, and every batch.

`metrics.csv` has one row for each of the document's fields, in their order; a field's unit is in
its name. `batches.csv` has one row for each batch, its time split over the breakdown's lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, get_args

import numpy as np

from ocr_baseline.model.document import (
    AcceleratorMemory,
    Distribution,
    DocumentModel,
    Goodput,
    Memory,
    MemoryUse,
    Phase,
    Ratio,
    Start,
    TrainVsValidation,
)
from ocr_baseline.reports.story.sampled_functions import material_lines
from ocr_baseline.reports.text import formatting, wording
from ocr_baseline.reports.text.csv_text import number_cells, rows_text, seconds_cells, write_csv
from ocr_baseline.vocabulary import FETCH_LINE, PHASE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocr_baseline.model.document import Baseline, BreakdownLine
    from ocr_baseline.model.run import BatchTable, Run


NOT_NUMBERS = ("dataloader", "cause", "line")
"""What tells where a number belongs, and a line's cause, which is one of its functions."""
BOUNDS = ("low", "high")
"""Have rows only where there are any."""
UNITS = {
    "_samples_per_s": "samples/s",
    "flops_per_s": "FLOP/s",
    "mfu": "share",
    "_bytes_per_min": "bytes/min",
    "_s": "s",
    "_bytes": "bytes",
    "_percent": "percent",
    "_ratio": "ratio",
    "share": "share",
    "share_of_phase": "share",
    "count": "count",
}
"""By the end of a field's name, the first that fits; what says none has that of what it is in."""
ABSENT_PARTS: dict[type[DocumentModel], dict[str, DocumentModel]] = {
    Phase: {"batch_time_s": Distribution(count=None)},
    Memory: {
        "process_tree_rss_bytes": MemoryUse(),
        "main_rss_bytes": MemoryUse(),
        "workers_rss_bytes": MemoryUse(),
        "accelerator": AcceleratorMemory(),
    },
    TrainVsValidation: dict.fromkeys(
        ("batch_ratio", "sample_ratio", "epoch_ratio"), Ratio.model_construct(value=None)
    ),
}
"""Parts whose numbers have rows, and a reason, where the whole part is missing."""
NO_START = Start.model_construct(**dict.fromkeys(Start.model_fields))
NO_GOODPUT = Goodput.model_construct(**dict.fromkeys(Goodput.model_fields))
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


class MetricRow(NamedTuple):
    """A value of the document; `name` is a line's or an operation's, where it is about one."""

    phase: str
    dataloader: int | None
    process: str
    name: str
    metric: str
    value: float | None
    unit: str
    missing: str


class _Number(NamedTuple):
    metric: str
    value: float | None
    unit: str


def render_metrics_csv(baseline: Baseline) -> str:
    """Return the table; a value that was not measured is empty and says why in `missing`."""
    return write_csv(MetricRow._fields, [*metric_rows(baseline), *function_rows(baseline)])


def function_rows(baseline: Baseline) -> Iterator[MetricRow]:
    """Yield the shares of the sampled functions of each line that matters, and of the workers."""
    for phase in baseline.phases:
        for line in material_lines(phase):
            for function in line.functions:
                yield from _rows(
                    (phase.name, phase.dataloader, "main", function.name),
                    function,
                    f"function.{line.name}",
                    "share",
                )
    for workers in baseline.workers:
        for function in workers.functions:
            keys = (workers.phase, None, "worker", function.name)
            yield from _rows(keys, function, f"function.{FETCH_LINE}", "share")


def metric_rows(baseline: Baseline) -> Iterator[MetricRow]:
    """Yield the rows in the document's order."""
    duration_s = baseline.run.duration_s
    why = _why(baseline, "run.duration_s", duration_s)
    yield MetricRow("", None, "", "", "run.duration_s", duration_s, "s", why)
    for phase_name in PHASE_NAMES:
        for phase in baseline.phases:
            if phase.name == phase_name:
                yield from _phase_rows(baseline, phase)
    for operation in baseline.operations:
        keys = (operation.phase, None, operation.process, operation.name)
        yield from _rows(keys, operation, "operation")
    for workers in baseline.workers:
        yield from _rows((workers.phase, None, "worker", ""), workers, "workers")
    compared = baseline.train_vs_validation or TrainVsValidation()
    yield from _run_rows(baseline, compared, "train_vs_validation")
    for step in compared.waterfall_s_per_sample:
        yield from _rows(("", None, "", step.name), step, "train_vs_validation.waterfall")
    yield from _run_rows(baseline, baseline.start or NO_START, "start")
    for part in baseline.start.breakdown if baseline.start else ():
        yield from _rows(("", None, "", part.name), part, "start.breakdown")
    yield from _run_rows(baseline, baseline.goodput or NO_GOODPUT, "goodput")
    yield from _run_rows(baseline, baseline.memory or Memory(), "memory")
    for rank in baseline.ranks:
        for ranks_phase in rank.phases:
            keys = (ranks_phase.phase, None, "main", f"rank {rank.rank}")
            yield from _rows(keys, ranks_phase, "rank")
    yield from _run_rows(baseline, baseline.measurement, "measurement")


def _run_rows(baseline: Baseline, section: DocumentModel, path: str) -> Iterator[MetricRow]:
    for number in _numbers(section, path):
        why = _why(baseline, number.metric, number.value)
        yield MetricRow("", None, "", "", *number, why)


def _phase_rows(baseline: Baseline, phase: Phase) -> Iterator[MetricRow]:
    for number in _numbers(phase, ""):
        why = _why(baseline, f"phases.{phase.name}.{number.metric}", number.value)
        yield MetricRow(phase.name, phase.dataloader, "", "", *number, why)
    for kind, line in _lines(phase):
        yield from _rows((phase.name, phase.dataloader, "", line.name), line, kind)


def _lines(phase: Phase) -> Iterator[tuple[str, BreakdownLine]]:
    for line in phase.breakdown:
        yield "line", line
        for part in line.parts:
            yield f"line_part.{line.name}", part


def _rows(
    keys: tuple[str, int | None, str, str],
    section: DocumentModel,
    path: str,
    unit: str = "count",
) -> Iterator[MetricRow]:
    for number in _numbers(section, path, unit):
        why = "" if number.value is not None else formatting.NOT_MEASURED
        yield MetricRow(*keys, *number, why)


def _why(baseline: Baseline, path: str, value: float | None) -> str:
    return "" if value is not None else wording.reason(baseline, path) or formatting.NOT_MEASURED


def _numbers(section: DocumentModel, path: str, unit: str = "count") -> Iterator[_Number]:
    """Yield the numbers of a part of the document and of the parts in it; lists are left out."""
    for name, field in type(section).model_fields.items():
        if name in NOT_NUMBERS:
            continue
        value = getattr(section, name)
        if value is None:
            value = ABSENT_PARTS.get(type(section), {}).get(name)
        metric = f"{path}.{name}" if path else name
        own_unit = _unit_of(name, unit)
        if isinstance(value, DocumentModel):
            yield from _numbers(value, metric, own_unit)
        elif value is None and name in BOUNDS:
            continue
        elif not isinstance(value, list) and _is_number(field.annotation):
            yield _Number(metric, value, own_unit)


def _unit_of(name: str, inherited: str) -> str:
    """Return the unit that a field's name ends in, else that of the part it is in.

    A plain loop: what a signal's handler raises in a generator that is dropped halfway is lost.
    """
    for end, unit in UNITS.items():
        if name.endswith(end):
            return unit
    return inherited


def _is_number(annotation: object) -> bool:
    """Whether a field's type is a number, or None in its place."""
    return annotation in (int, float) or any(map(_is_number, get_args(annotation)))


def has_series(run: Run) -> bool:
    """Whether the source of the run kept any single batch."""
    return any(len(table.duration_s) for _, table in batch_tables(run))


def render_series_csv(run: Run) -> str:
    """Return the batches of all stages, stage by stage.

    After the fixed columns comes one for each line of any stage, in seconds: named operations as
    `op:NAME`, the hooks of other callbacks as `callbacks:NAME`. A line that a stage doesn't have,
    and a size that isn't known, is empty.
    """
    return "".join(series_csv_parts(run))


def series_csv_parts(run: Run) -> Iterator[str]:
    """Yield the text of `render_series_csv` piece by piece, so that it need not fit in memory."""
    lines = list(dict.fromkeys(line for _, table in batch_tables(run) for line in table.lines_s))
    yield write_csv([*FIXED_COLUMNS, *(f"{line}_s" for line in lines)], ())
    for stage, table in batch_tables(run):
        for start in range(0, len(table.duration_s), ROWS_A_PART):
            yield _batch_rows(stage, table, lines, slice(start, start + ROWS_A_PART))


def batch_tables(run: Run) -> Iterator[tuple[str, BatchTable]]:
    """Yield the batches of each stage whose source kept single ones."""
    for record in run.stages:
        if record.batches is not None:
            yield record.stage.value, record.batches


def _batch_rows(stage: str, table: BatchTable, lines: Sequence[str], rows: slice) -> str:
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
