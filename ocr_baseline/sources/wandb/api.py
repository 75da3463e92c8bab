"""A W&B run by its id, path or URL, read through the client's public API."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from ocr_baseline.model.privacy import redact
from ocr_baseline.model.run import RunInfo
from ocr_baseline.sources.logged.numbers import read_number
from ocr_baseline.sources.logged.rows import read_rows
from ocr_baseline.sources.logged.run import run_of
from ocr_baseline.sources.reader_process import Patience
from ocr_baseline.sources.source import ReadOptions, Source
from ocr_baseline.sources.wandb.fetch import FetchedRun, fetch
from ocr_baseline.sources.wandb.reader import MAX_SYSTEM_ROWS
from ocr_baseline.sources.wandb.reference import parse_reference
from ocr_baseline.sources.wandb.system import with_system_metrics
from ocr_baseline.sources.wandb.values import plain_summary, unwritten_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ocr_baseline.model.run import Run
    from ocr_baseline.sources.logged.keys import Keys
    from ocr_baseline.sources.source import LiveRun
    from ocr_baseline.vocabulary import RunStatus

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


def load(run_id: str, options: ReadOptions | None = None) -> Run:
    """Return the run of an id, `project/id`, `entity/project/id` or URL.

    Raises:
        SourceError: The run can't be read; the message says why and what to do.
    """
    options = options or ReadOptions()
    return to_run(fetch_run(run_id, options), options.keys)


def load_live(run_id: str, summary: Mapping[str, object], options: ReadOptions) -> Run:
    """Return a run that goes on: what has reached the server, and its live summary beyond that.

    Raises:
        SourceError: As for `load`.
    """
    fetched = fetch_run(run_id, options)
    unsent = unwritten_row(fetched.rows, summary, options.keys.parse)
    if not unsent:
        return _to_run(fetched, options.keys)
    return _to_run(replace(fetched, rows=[*fetched.rows, unsent]), options.keys, [_BEHIND])


def fetch_run(run_id: str, options: ReadOptions) -> FetchedRun:
    """Return what the server holds of the run; arguments and errors as for `load`."""
    project = options.project or os.environ.get("WANDB_PROJECT")
    reference = parse_reference(run_id, project=project, entity=options.entity)
    patience = Patience(options.timeout_s, options.limit_s, options.until_s)
    return fetch(reference, patience, options.keys.own_names)


def _of_trainer(live: LiveRun) -> Iterator[Run]:
    for logger in live.loggers_of("WandbLogger"):
        experiment = logger.experiment
        if not (experiment.disabled or experiment.offline):
            options = replace(live.options, project=live.info.project, entity=live.info.entity)
            yield load_live(live.info.id or "", plain_summary(experiment.summary), options)


SOURCE = Source(
    name="wandb-api",
    basis="metrics logged to Weights & Biases, read through its API",
    load=load,
    of_trainer=_of_trainer,
    prefix="wandb",
    server="Weights & Biases",
)


def to_run(fetched: FetchedRun, keys: Keys) -> Run:
    """Return the run that the server's answers describe; secrets in its config are redacted."""
    return _to_run(fetched, keys, _state_warnings(fetched.state))


def _to_run(fetched: FetchedRun, keys: Keys, warnings: Iterable[str] = ()) -> Run:
    reading = read_rows(fetched.rows, fetched.summary, parse=keys.parse)
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
