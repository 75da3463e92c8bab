"""The report of a run that could not write its own: from its records and what else is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ocr_baseline.errors import BaselineError
from ocr_baseline.layout import JSON_NAME
from ocr_baseline.model.document_file import read_baseline
from ocr_baseline.model.privacy import error_text
from ocr_baseline.records import reader
from ocr_baseline.vocabulary import REPORTED_STAGES
from ocr_baseline.write import write_report

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from ocr_baseline.model.document import Baseline
    from ocr_baseline.model.run import Run
    from ocr_baseline.vocabulary import RunStatus
    from ocr_baseline.write import ReportFiles

_UNTOLD = frozenset({"unknown", "running"})


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a run ended, as far as whoever started it knows."""

    status: RunStatus = "unknown"
    ended_by: str | None = None


def ending_by(error: BaseException) -> Ending:
    """Return the ending of a run that `error` ended."""
    status: RunStatus = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
    return Ending(status=status, ended_by=error_text(error))


def recover_report(
    folder: Path, ending: Ending, *, began_at: datetime | None = None
) -> ReportFiles | None:
    """Write the report of the records in a baseline's folder, unless a report there tells them all.

    Records that nothing was begun in since `began_at` are another run's, and so is their report. A
    run without a batch replaces no report.

    The records' own word on how the run ended counts before `ending`, but a run that finished its
    records and failed after them has failed.

    Returns:
        What was written, None where the report in the folder stays.

    Raises:
        BaselineError: When the records can't be read or the report can't be written.
    """
    if began_at is not None and not reader.was_begun_since(folder, began_at):
        return None
    run = reader.load(folder)
    if _is_told(folder, run):
        return None
    ended = with_ending(run, ending)
    has_report = (folder / JSON_NAME).is_file()
    if has_report and not run.stages:
        return None
    return write_report(ended, folder)


def with_ending(run: Run, ending: Ending) -> Run:
    """Return the run with the status that the records and `ending` make out together."""
    known = run.info.status
    if known in {"failed", "interrupted"} or ending.status in _UNTOLD:
        return run
    if known not in _UNTOLD and ending.status == "finished":
        return run
    info = replace(run.info, status=ending.status, ended_by=ending.ended_by)
    missing = tuple(entry for entry in run.missing if entry.metric != "run.status")
    return replace(run, info=info, missing=missing)


def told_batches(baseline: Baseline) -> dict[str, int | None]:
    """Return how many batches a report tells of each phase."""
    return {phase.name: phase.batches for phase in baseline.whole_phases}


def recorded_batches(run: Run) -> dict[str, int | None]:
    """Return how many batches the records hold of each phase."""
    return {
        stage.stage.value: 0 if stage.batches is None else len(stage.batches.duration_s)
        for stage in run.stages
        if stage.stage in REPORTED_STAGES
    }


def _is_told(folder: Path, run: Run) -> bool:
    """Whether the folder's report has the records' status and each of their batches."""
    try:
        baseline = read_baseline(folder / JSON_NAME)
    except BaselineError:
        return False
    is_complete = recorded_batches(run) == told_batches(baseline)
    return is_complete and run.info.status in {"unknown", baseline.run.status}
