"""The records of a run that has just ended, read back from the disk for its report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ocr_baseline.model.run import Missing

if TYPE_CHECKING:
    from pathlib import Path

    from ocr_baseline.model.run import Run
    from ocr_baseline.vocabulary import RunStatus


def read_back(records: Path, status: RunStatus, ended_by: str | None) -> Run:
    """Return the run of a folder of records, which may not hold its end.

    Raises:
        SourceError: When the records can't be read.
    """
    from ocr_baseline.records import reader  # needs NumPy, which a loop may do without

    run = reader.load(records)
    if run.info.status == "unknown":
        run = with_end(run, status, ended_by)
    if not run.stages:
        run = replace(run, missing=(*run.missing, without_batches(run)))
    return run


def with_end(run: Run, status: RunStatus, ended_by: str | None) -> Run:
    """Give the run the end that its records could not take any more (a full disk)."""
    lacking = "the records could not be written to their end: what came last is missing here"
    return replace(
        run,
        info=replace(run.info, status=status, ended_by=ended_by),
        measurement=replace(run.measurement, warnings=(*run.measurement.warnings, lacking)),
        missing=tuple(entry for entry in run.missing if entry.metric != "run.status"),
    )


def without_batches(run: Run) -> Missing:
    """Return why a recorded run holds no phase."""
    detail = (
        "no batch was recorded before the measuring stopped"
        if run.measurement.warnings
        else "the run ended before its first batch"
    )
    return Missing(metric="phases", reason="not_collected", detail=detail)
