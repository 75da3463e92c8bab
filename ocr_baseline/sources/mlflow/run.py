"""An MLflow run by its id, in a tracking folder, a database or on a server (the extra `mlflow`)."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ocr_baseline.errors import SourceError
from ocr_baseline.model.privacy import redact, redact_text
from ocr_baseline.model.run import Missing, RunInfo
from ocr_baseline.sources.logged.instants import utc_instant
from ocr_baseline.sources.logged.rows import read_rows
from ocr_baseline.sources.logged.run import run_of
from ocr_baseline.sources.logged.series import rows_of
from ocr_baseline.sources.reader_process import (
    SECONDS_TO_TELL_THE_CAUSE,
    Overdue,
    Patience,
    messages,
)
from ocr_baseline.sources.source import ReadOptions, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ocr_baseline.model.run import Run
    from ocr_baseline.sources.logged.keys import Keys
    from ocr_baseline.sources.source import LiveRun
    from ocr_baseline.vocabulary import RunStatus

_READER = "ocr_baseline.sources.mlflow.reader"
_HTTP_RETRIES = 1
_STATUS: Mapping[str, RunStatus] = {
    "FINISHED": "finished",
    "FAILED": "failed",
    "KILLED": "interrupted",
    "RUNNING": "running",
}
_NOT_OVER = (
    "The run was not over when it was read: numbers cover what had been logged by then. Read it "
    "again when it has finished."
)


class _Point(NamedTuple):
    wall_time: float
    step: int
    value: float


def load(run_id: str, options: ReadOptions | None = None) -> Run:
    """Return the run of an id, 32 hexadecimal digits.

    Raises:
        SourceError: The client is missing, the run does not exist, or its store can't be read.
    """
    options = options or ReadOptions()
    parse = options.keys.parse
    _check_store(options.mlflow_uri)
    patience = Patience(options.timeout_s, options.limit_s, options.until_s)
    series, described = _fetch(run_id, options.mlflow_uri, patience, options.keys)
    reading = read_rows(rows_of(series, parse), parse=parse)
    params = redact(described["params"])
    no_params = Missing(metric="config", reason="not_collected", detail="no parameters were logged")
    return run_of(
        _info(described),
        reading,
        config=params or None,
        missing=[] if params else [no_params],
        warnings=[_NOT_OVER] if described["status"] == "RUNNING" else [],
    )


def _of_trainer(live: LiveRun) -> Iterator[Run]:
    for logger in live.loggers_of("MLFlowLogger"):
        uri = logger.experiment.tracking_uri
        yield load(str(logger.run_id), replace(live.options, mlflow_uri=uri))


SOURCE = Source(
    name="mlflow",
    basis="metrics logged to MLflow, read through its client",
    load=load,
    of_trainer=_of_trainer,
    prefix="mlflow",
    server="MLflow",
)


def _check_store(tracking_uri: str | None) -> None:
    """Refuse a store that is not there: the client would make an empty one."""
    if tracking_uri is None:
        return
    scheme, _, rest = tracking_uri.rpartition(":///")
    path = Path(tracking_uri if not scheme else f"/{rest}" if scheme == "file" else rest)
    if _is_local(tracking_uri) and not path.exists():
        raise SourceError(f"{redact_text(tracking_uri)}: there is no such MLflow store")


def _is_local(tracking_uri: str) -> bool:
    return tracking_uri.startswith(("file:///", "sqlite:///")) or "://" not in tracking_uri


def _remedy(tracking_uri: str | None) -> str:
    """Return what to check when a store of this kind doesn't answer."""
    uri = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI", "")
    if not _is_local(uri):
        return "check the network and the tracking URI"
    kind = "database" if uri.startswith("sqlite") else "folder"
    return f"the {kind} or this machine is busy: try again"


def _fetch(
    run_id: str, tracking_uri: str | None, patience: Patience, keys: Keys
) -> tuple[dict[str, list[_Point]], dict[str, Any]]:
    series: dict[str, list[_Point]] = defaultdict(list)
    arguments = [run_id, tracking_uri or "", json.dumps(keys.own_names)]
    where = redact_text(tracking_uri or "the configured tracking store")
    try:
        for message in messages(_READER, arguments, client_environment(patience), patience):
            if "error" in message:
                raise SourceError(message["error"])
            if "run" in message:
                return dict(series), message["run"]
            key, points = message["points"]
            series[key].extend(_Point(*point) for point in points)
    except Overdue as error:
        raise SourceError(
            f"MLflow run {run_id} at {where}: {error}; {_remedy(tracking_uri)}, or give it longer "
            "(--timeout, in Python timeout_s)"
        ) from error
    raise SourceError(f"MLflow run {run_id} at {where}: its reader broke off")


def client_environment(patience: Patience) -> dict[str, str]:
    """Return the reader's environment: a client that fails soon and with the cause."""
    timeout_s = max(1, int(patience.left_s(0.0) - SECONDS_TO_TELL_THE_CAUSE) // 2)
    return os.environ | {
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(timeout_s),
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": str(_HTTP_RETRIES),
        # MLflow 3 refuses tracking folders, which older runs are in; reading one is harmless.
        "MLFLOW_ALLOW_FILE_STORE": "true",
        # Reading a run is nobody else's business, and a process that ends at once can't tell it.
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def _info(described: Mapping[str, Any]) -> RunInfo:
    status = _STATUS.get(described["status"], "unknown")
    start_ms, end_ms = (described[name] or None for name in ("start_ms", "end_ms"))
    return RunInfo(
        source="mlflow",
        status=status,
        id=described["id"],
        name=described["name"],
        project=described["project"],
        url=_url(described),
        started_at=utc_instant(start_ms / 1000 if start_ms and start_ms > 0 else None),
        duration_s=_duration_s(start_ms, end_ms),
        ended_by=described["status"] if status in ("failed", "interrupted") else None,
    )


def _duration_s(start_ms: int | None, end_ms: int | None) -> float | None:
    """Return how long the run took; a store keeps 0 or -1 for an instant that it does not know."""
    if start_ms is None or end_ms is None or not 0 < start_ms <= end_ms:
        return None
    return (end_ms - start_ms) / 1000


def _url(described: Mapping[str, Any]) -> str | None:
    server = str(described["tracking_uri"]).rstrip("/")
    if not server.startswith(("http://", "https://")):
        return None
    return f"{server}/#/experiments/{described['experiment_id']}/runs/{described['id']}"
