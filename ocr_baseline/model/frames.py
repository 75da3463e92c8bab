"""A baseline's tables as pandas DataFrames, in the document's names and units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ocr_baseline.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pandas as pd

    from ocr_baseline.model.document import Baseline, Phase

_PARTS_OF_PHASES = {"block_means_s", "breakdown", "per_epoch"}


def to_frame(baseline: Baseline, table: str) -> pd.DataFrame:
    """Return one of the `TABLES`; what was not measured is NaN or None, never 0.

    Raises:
        SettingError: There is no such table; the message lists them.
    """
    if table not in TABLES:
        raise SettingError(f"unknown table {table!r}; choose from {', '.join(TABLES)}")
    import pandas as pd

    return pd.json_normalize(list(TABLES[table](baseline)))


def _phases(baseline: Baseline) -> Iterable[dict[str, Any]]:
    return (phase.model_dump(exclude=_PARTS_OF_PHASES) for phase in baseline.phases)


def _breakdown(baseline: Baseline) -> Iterable[dict[str, Any]]:
    return (
        {**_place(phase), **line.model_dump(exclude={"parts", "name"}), "line": line.name}
        for phase in baseline.phases
        for line in phase.breakdown
    )


def _epochs(baseline: Baseline) -> Iterable[dict[str, Any]]:
    return (
        {**_place(phase), **epoch.model_dump()}
        for phase in baseline.phases
        for epoch in phase.per_epoch
    )


def _operations(baseline: Baseline) -> Iterable[dict[str, Any]]:
    return (operation.model_dump() for operation in baseline.operations)


def _findings(baseline: Baseline) -> Iterable[dict[str, Any]]:
    findings = baseline.ranked_findings
    return (finding.model_dump(exclude={"evidence"}) for finding in findings)


def _missing(baseline: Baseline) -> Iterable[dict[str, Any]]:
    return (
        {"metric": entry.metric, "reason": entry.reason, "detail": entry.detail}
        for entry in baseline.missing
    )


def _place(phase: Phase) -> dict[str, Any]:
    return {"phase": phase.name, "dataloader": phase.dataloader}


TABLES: Mapping[str, Callable[[Baseline], Iterable[dict[str, Any]]]] = {
    "phases": _phases,
    "breakdown": _breakdown,
    "epochs": _epochs,
    "operations": _operations,
    "findings": _findings,
    "missing": _missing,
}
"""Each table's rows: one for each phase, line, epoch, operation, finding and missing metric."""
