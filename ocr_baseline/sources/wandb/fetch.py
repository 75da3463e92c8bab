"""One W&B run as the server holds it, asked for by a process that can be given up."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.errors import SourceError
from ocr_baseline.sources.reader_process import (
    SECONDS_TO_TELL_THE_CAUSE,
    Overdue,
    Patience,
    messages,
)
from ocr_baseline.sources.wandb.errors import overdue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ocr_baseline.sources.wandb.reference import RunReference

_READER = "ocr_baseline.sources.wandb.reader"
_GRAPHQL_RETRIES = 1
_GRAPHQL_RETRY_WAIT_S = 1


@dataclass(frozen=True, kw_only=True)
class FetchedRun:
    """A run as the server told it; `rows` are those of its history that hold a known metric."""

    id: str
    project: str | None
    entity: str | None
    name: str | None
    url: str | None
    state: str
    created_at: str | None
    config: Mapping[str, object]
    summary: Mapping[str, object]
    rows: Sequence[Mapping[str, object]]
    system_rows: Sequence[Mapping[str, object]]


def fetch(reference: RunReference, patience: Patience, own_names: Mapping[str, str]) -> FetchedRun:
    """Return the run; give up when the server has tried the patience.

    Raises:
        SourceError: The client is missing, the run is missing or was deleted, the key is absent
            or refused, the server is out of reach, fails or hangs.
    """
    server = "the configured server"
    rows: list[Mapping[str, object]] = []
    timeout_s = patience.left_s(0.0)
    arguments = [reference.path, str(timeout_s), json.dumps(dict(own_names))]
    try:
        for message in messages(_READER, arguments, client_environment(timeout_s), patience):
            if "error" in message:
                raise SourceError(message["error"])
            if "run" in message:
                return FetchedRun(rows=rows, **message["run"])
            server = message.get("server", server)
            if "row" in message:
                rows.append(message["row"])
    except Overdue as error:
        raise overdue(reference.path, server, str(error)) from error
    raise SourceError(f"W&B run {reference.path} at {server}: its reader broke off")


def client_environment(timeout_s: float) -> dict[str, str]:
    """Return the reader's environment: a client that fails soon, says nothing and never prompts.

    The service of a run that is live in this process is left alone: the reader starts its own.
    """
    environment = {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"}
    return environment | {
        "WANDB_HTTP_TIMEOUT": str(max(1, int(timeout_s - SECONDS_TO_TELL_THE_CAUSE))),
        "WANDB_SILENT": "true",
        "WANDB_X_GRAPHQL_RETRY_MAX": str(_GRAPHQL_RETRIES),
        "WANDB_X_GRAPHQL_RETRY_WAIT_MAX_SECONDS": str(_GRAPHQL_RETRY_WAIT_S),
    }
