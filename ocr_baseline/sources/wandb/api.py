"""A W&B run by its id, path or URL, read through the client's public API."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from ocr_baseline.model.privacy import redact
from ocr_baseline.model.run import RunInfo
from ocr_baseline.sources.logged.keys import key_parser
from ocr_baseline.sources.logged.numbers import read_number
from ocr_baseline.sources.logged.rows import read_rows
from ocr_baseline.sources.logged.run import run_of
from ocr_baseline.sources.reader_process import Patience
from ocr_baseline.sources.wandb.fetch import FetchedRun, fetch
from ocr_baseline.sources.wandb.reader import MAX_SYSTEM_ROWS
from ocr_baseline.sources.wandb.reference import parse_reference
from ocr_baseline.sources.wandb.system import with_system_metrics
from ocr_baseline.sources.wandb.values import unwritten_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ocr_baseline.model.run import Run
    from ocr_baseline.vocabulary import RunStatus

DEFAULT_TIMEOUT_S = 10.0
"""Leaves a command that must end within 15 s its own start and end."""

_STATUS: Mapping[str, RunStatus] = {
    "finished": "finished",
    "failed": "failed",
    "crashed": "failed",
    "killed": "interrupted",
    "preempting": "interrupted",
    "preempted": "interrupted",
    "running": "running",
}
_NOT_OVER = (
    "The run was not over when it was read: numbers cover what had reached the server. Read it "
    "again when it has finished."
)
_BEHIND = (
    "The last rows had not reached the server when the report was made: the last values come from "
    "the client's summary, and rows before them may be missing."
)


def load(
    run_id: str,
    *,
    project: str | None = None,
    entity: str | None = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    limit_s: float | None = None,
    metric_names: Mapping[str, str] | None = None,
) -> Run:
    """Return the run.

    Args:
        run_id: The id, `project/id`, `entity/project/id` or the run's URL.
        project: The project where `run_id` has none; else WANDB_PROJECT.
        entity: The entity where `run_id` has none; else the account's default.
        timeout_s: Give up when nothing has come from the server for so long.
        limit_s: Give up after so long, even when rows still come.
        metric_names: A user's own keys, as `key_parser` takes them.

    Raises:
        SourceError: The run can't be read; the message says why and what to do.
    """
    key_parser(metric_names)  # a wrong name is told before the server is asked
    fetched = fetch_run(
        run_id,
        project=project,
        entity=entity,
        timeout_s=timeout_s,
        limit_s=limit_s,
        metric_names=metric_names,
    )
    return to_run(fetched, metric_names)


def load_live(
    run_id: str,
    summary: Mapping[str, object],
    *,
    project: str | None = None,
    entity: str | None = None,
    timeout_s: float,
    metric_names: Mapping[str, str] | None = None,
) -> Run:
    """Return a run that goes on: what has reached the server, and its live summary beyond that.

    Raises:
        SourceError: As for `load`, or the run was not read within `timeout_s` seconds.
    """
    fetched = fetch_run(
        run_id,
        project=project,
        entity=entity,
        timeout_s=timeout_s,
        limit_s=timeout_s,
        metric_names=metric_names,
    )
    unsent = unwritten_row(fetched.rows, summary, key_parser(metric_names))
    if not unsent:
        return _to_run(fetched, metric_names)
    return _to_run(replace(fetched, rows=[*fetched.rows, unsent]), metric_names, [_BEHIND])


def fetch_run(
    run_id: str,
    *,
    project: str | None = None,
    entity: str | None = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    limit_s: float | None = None,
    metric_names: Mapping[str, str] | None = None,
) -> FetchedRun:
    """Return what the server holds of the run; arguments and errors as for `load`."""
    project = project or os.environ.get("WANDB_PROJECT")
    reference = parse_reference(run_id, project=project, entity=entity)
    return fetch(reference, Patience(timeout_s, limit_s), metric_names)


def to_run(fetched: FetchedRun, metric_names: Mapping[str, str] | None = None) -> Run:
    """Return the run that the server's answers describe; secrets in its config are redacted."""
    return _to_run(fetched, metric_names, _state_warnings(fetched.state))


def _to_run(
    fetched: FetchedRun, metric_names: Mapping[str, str] | None, warnings: Iterable[str] = ()
) -> Run:
    reading = read_rows(fetched.rows, fetched.summary, parse=key_parser(metric_names))
    return run_of(
        _info(fetched),
        reading,
        config=redact(fetched.config),
        memory=with_system_metrics(reading.memory, fetched.system_rows),
        warnings=[*warnings, *_sampling_warnings(fetched)],
    )


def _info(fetched: FetchedRun) -> RunInfo:
    status = _STATUS.get(fetched.state, "unknown")
    return RunInfo(
        source="wandb-api",
        status=status,
        id=fetched.id,
        name=fetched.name,
        project=fetched.project,
        entity=fetched.entity,
        url=fetched.url,
        started_at=_instant(fetched.created_at),
        duration_s=_duration_s(fetched.summary),
        ended_by=fetched.state if status in ("failed", "interrupted") else None,
    )


def _instant(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        # Python 3.10 does not read the "Z" of the server's instants.
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None


def _duration_s(summary: Mapping[str, object]) -> float | None:
    """Return how long the run's process lived, as its client last told."""
    internal = summary.get("_wandb")
    told = internal.get("runtime") if isinstance(internal, dict) else None
    number = read_number(summary.get("_runtime") if told is None else told)
    return number if isinstance(number, float) else None


def _state_warnings(state: str) -> list[str]:
    if state in ("running", "pending"):
        return [_NOT_OVER]
    if state == "crashed":
        return ["The run stopped answering: its last rows may never have been uploaded."]
    return []


def _sampling_warnings(fetched: FetchedRun) -> list[str]:
    if len(fetched.system_rows) < MAX_SYSTEM_ROWS:
        return []
    return [f"Memory over time is a sample of {MAX_SYSTEM_ROWS} system metrics."]
