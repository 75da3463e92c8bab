"""One W&B run through the client's public API: everything that the engine wants, once."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ocr.performance.errors import SourceError
from ocr.performance.sources.deadline import Overdue, call_within
from ocr.performance.sources.logged_values import holds_metric
from ocr.performance.sources.wandb_errors import client_errors, explain, overdue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wandb.apis.public import Run as WandbRun

    from ocr.performance.sources.deadline import Progress
    from ocr.performance.sources.wandb_reference import RunReference

MAX_SYSTEM_ROWS = 10_000
_PAGE_ROWS = 10_000
_GRAPHQL_RETRIES = 1
_GRAPHQL_RETRY_WAIT_S = 1.0


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


def fetch(reference: RunReference, timeout_s: float) -> FetchedRun:
    """Return the run; give up when nothing has come from the server for `timeout_s` seconds.

    Raises:
        SourceError: The client is missing, the run is missing or was deleted, the key is absent
            or refused, the server is out of reach, fails or hangs.
    """
    try:
        import wandb  # noqa: F401 - only to tell its absence from its errors
    except ImportError as error:
        raise SourceError(
            f"W&B run {reference.path}: reading it needs the package wandb: pip install wandb"
        ) from error
    server = "the configured server"
    try:
        with _impatient_client(timeout_s) as server:
            return call_within(partial(_read, reference, timeout_s), timeout_s)
    except Overdue as error:
        raise overdue(reference.path, server, timeout_s) from error
    except client_errors() as error:
        raise explain(error, reference.path, server) from error


@contextmanager
def _impatient_client(timeout_s: float) -> Iterator[str]:
    """Make the client fail soon, say nothing and never prompt; yield the server's URL.

    `wandb.Api` copies these settings when it is made. They are put back before the caller goes
    on, also when the reading thread hangs, so that a later `wandb.init` finds its own.
    """
    import wandb
    from wandb.errors import term

    settings = wandb.setup().settings
    impatient = {
        "x_graphql_retry_max": _GRAPHQL_RETRIES,
        "x_graphql_retry_wait_max_seconds": _GRAPHQL_RETRY_WAIT_S,
        "x_graphql_timeout_seconds": max(1.0, timeout_s - 2),
        "silent": True,
    }
    # Clients before 0.19 have no such settings; the deadline holds without them.
    fields = getattr(type(settings), "model_fields", {})
    before = {name: getattr(settings, name) for name in impatient if name in fields}
    logger = getattr(term, "_logger", None)
    try:
        for name in before:
            setattr(settings, name, impatient[name])
        wandb.termsetup(settings, logger)
        yield settings.base_url
    finally:
        for name, value in before.items():
            setattr(settings, name, value)
        wandb.termsetup(settings, logger)


def _read(reference: RunReference, timeout_s: float, progress: Progress) -> FetchedRun:
    import wandb

    api = wandb.Api(timeout=math.ceil(timeout_s))
    run = api.run(reference.path)
    rows = _metric_rows(run, progress)
    system_rows = run.history(stream="system", samples=MAX_SYSTEM_ROWS, pandas=False)
    return FetchedRun(
        id=run.id,
        project=run.project,
        entity=run.entity,
        name=run.name,
        url=run.url,
        state=run.state,
        created_at=run.created_at,
        config=dict(run.config),
        summary=dict(run.summary_metrics),
        rows=rows,
        system_rows=[row for row in system_rows if isinstance(row, dict)],
    )


def _metric_rows(run: WandbRun, progress: Progress) -> list[Mapping[str, object]]:
    """Return the whole history's rows with a known metric; `history()` would be a sample of it."""
    rows: list[Mapping[str, object]] = []
    for row in run.scan_history(page_size=_page_steps(run)):
        progress.made()
        if holds_metric(row):
            rows.append(row)
    progress.made()
    return rows


def _page_steps(run: WandbRun) -> int:
    """Return how many steps to ask for at once, so that a page holds some 10,000 rows.

    A page is a range of steps: a run that logs with huge explicit steps would take thousands.
    """
    lines = getattr(run, "historyLineCount", None) or 0
    steps = run.lastHistoryStep + 1
    return _PAGE_ROWS * max(1, math.ceil(steps / lines)) if lines else _PAGE_ROWS
