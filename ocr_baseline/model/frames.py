"""A baseline's tables as pandas DataFrames, in the document's names and units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import BaseModel

from ocr_baseline.errors import SettingError
from ocr_baseline.model.document import (
    BreakdownLine,
    EpochSummary,
    Finding,
    FunctionShare,
    Operation,
    Phase,
    StartPart,
)
from ocr_baseline.vocabulary import FETCH_LINE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import pandas as pd

    from ocr_baseline.model.document import Baseline

TableName = Literal[
    "phases", "breakdown", "functions", "epochs", "operations", "start", "findings", "missing"
]
_PARTS_OF_LINES = {"parts", "functions", "cause", "name"}
_PARTS_OF_FINDINGS = {"evidence", "lines"}
_PARTS_OF_PHASES = {"block_means_s", "breakdown", "per_epoch"}


def to_frame(baseline: Baseline, table: TableName) -> pd.DataFrame:
    """Return one of the `TABLES`; what was not measured is NaN or None, never 0.

    The columns of a table are always the same, rows or none.

    Raises:
        SettingError: There is no such table; the message lists them.
    """
    if table not in TABLES:
        raise SettingError(f"unknown table {table!r}; choose from {', '.join(TABLES)}")
    import pandas as pd

    rows, columns = TABLES[table].rows(baseline), TABLES[table].columns
    frame: pd.DataFrame = pd.json_normalize(list(rows)).reindex(columns=list(columns))
    return frame


def _phases(baseline: Baseline) -> Iterable[dict[str, Any]]:
    return (phase.model_dump(exclude=_PARTS_OF_PHASES) for phase in baseline.phases)


def _breakdown(baseline: Baseline) -> Iterable[dict[str, Any]]:
    return (
        {**_place(phase), **line.model_dump(exclude=_PARTS_OF_LINES), "line": line.name}
        for phase in baseline.phases
        for line in phase.breakdown
    )


def _functions(baseline: Baseline) -> Iterable[dict[str, Any]]:
    for phase in baseline.phases:
        for line in phase.breakdown:
            of_line = {**_place(phase), "process": "main", "of_line": line.name}
            yield from ({**of_line, **function.model_dump()} for function in line.functions)
    for workers in baseline.workers:
        of_workers = {"phase": workers.phase, "process": "worker", "of_line": FETCH_LINE}
        yield from ({**of_workers, **function.model_dump()} for function in workers.functions)


def _epochs(baseline: Baseline) -> Iterable[dict[str, Any]]:
    return (
        {**_place(phase), **epoch.model_dump()}
        for phase in baseline.phases
        for epoch in phase.per_epoch
    )


def _operations(baseline: Baseline) -> Iterable[dict[str, Any]]:
    return (operation.model_dump() for operation in baseline.operations)


def _start(baseline: Baseline) -> Iterable[dict[str, Any]]:
    parts = [] if baseline.start is None else baseline.start.breakdown
    return (part.model_dump(exclude={"cause"}) for part in parts)


def _findings(baseline: Baseline) -> Iterable[dict[str, Any]]:
    findings = baseline.ranked_findings
    return (finding.model_dump(exclude=_PARTS_OF_FINDINGS) for finding in findings)


def _missing(baseline: Baseline) -> Iterable[dict[str, Any]]:
    return (
        {"metric": entry.metric, "reason": entry.reason, "detail": entry.detail}
        for entry in baseline.missing
    )


def _place(phase: Phase) -> dict[str, Any]:
    return {"phase": phase.name, "dataloader": phase.dataloader}


def _columns(model: type[BaseModel], *left_out: str) -> Iterator[str]:
    """Yield the dotted names of a model's fields, those of the models inside it too."""
    for name, field in model.model_fields.items():
        if name in left_out:
            continue
        inner = _model_in(field.annotation)
        if inner is None:
            yield name
        else:
            yield from (f"{name}.{column}" for column in _columns(inner))


def _model_in(annotation: object) -> type[BaseModel] | None:
    """Return the model of a field that is one or None; a list of them stays one cell."""
    kinds = (annotation,) if get_origin(annotation) is list else (annotation, *get_args(annotation))
    models = (kind for kind in kinds if isinstance(kind, type) and get_origin(kind) is None)
    return next((kind for kind in models if issubclass(kind, BaseModel)), None)


@dataclass(frozen=True)
class _Table:
    rows: Callable[[Baseline], Iterable[dict[str, Any]]]
    columns: tuple[str, ...]


TABLES: Mapping[TableName, _Table] = {
    "phases": _Table(_phases, tuple(_columns(Phase, *_PARTS_OF_PHASES))),
    "breakdown": _Table(
        _breakdown, ("phase", "line", "dataloader", *_columns(BreakdownLine, *_PARTS_OF_LINES))
    ),
    "functions": _Table(
        _functions,
        ("phase", "dataloader", "process", "of_line", *_columns(FunctionShare)),
    ),
    "epochs": _Table(_epochs, ("phase", "dataloader", *_columns(EpochSummary))),
    "operations": _Table(_operations, tuple(_columns(Operation))),
    "start": _Table(_start, tuple(_columns(StartPart, "cause"))),
    "findings": _Table(_findings, tuple(_columns(Finding, *_PARTS_OF_FINDINGS))),
    "missing": _Table(_missing, ("metric", "reason", "detail")),
}
"""The tables: one row for each phase, line, epoch, operation, finding and missing metric."""
