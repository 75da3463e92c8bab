"""A whole run as a trace for https://ui.perfetto.dev or chrome://tracing, written as it is made."""

from __future__ import annotations

import json
from itertools import chain, islice
from typing import TYPE_CHECKING

from ocr_baseline.errors import BaselineError
from ocr_baseline.model.privacy import outward
from ocr_baseline.reports.trace.detail import detail_of
from ocr_baseline.reports.trace.events import SUMMED, Events
from ocr_baseline.reports.trace.main_process import begins_s, main_process_events
from ocr_baseline.reports.trace.memory import memory_events
from ocr_baseline.reports.trace.window import window_events
from ocr_baseline.reports.trace.workers import worker_events

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ocr_baseline.model.rank_run import RankRun
    from ocr_baseline.model.run import Run
    from ocr_baseline.reports.trace.detail import Detail

EVENTS_A_PART = 1000
NOTE = (
    f"Slices of the category {SUMMED!r} stand end to end in their parent: how long each took was "
    "measured, when it ran there wasn't."
)


def trace_parts(run: Run, others: Iterable[RankRun] = ()) -> Iterator[str]:
    """Yield the text of the trace piece by piece; the other ranks are read as they are shown.

    Raises:
        BaselineError: Nothing over time was kept of the run.
    """
    if not any(stage.batches is not None for stage in run.stages) and run.memory is None:
        raise BaselineError(
            "nothing over time was kept of this run: a trace needs the profiler's records"
        )
    detail = detail_of(_batches_in_all(run))
    about = json.dumps(outward(_about(run, detail)))
    yield f'{{"displayTimeUnit":"ms","otherData":{about},"traceEvents":[\n'
    lines = _events(run, others, detail)
    yield next(lines)
    while part := "".join(f",\n{line}" for line in islice(lines, EVENTS_A_PART)):
        yield part
    yield "\n]}\n"


def _batches_in_all(run: Run) -> int:
    own = sum(len(one.batches.start_s) for one in run.stages if one.batches is not None)
    of_ranks = sum(stage.batches for rank in run.ranks for stage in rank.stages)
    return max(own, of_ranks)


def _about(run: Run, detail: Detail) -> dict[str, object]:
    return {
        "name": run.info.name or run.info.id or "unnamed run",
        "status": run.info.status,
        "started_at": None if run.info.started_at is None else run.info.started_at.isoformat(),
        "ranks": run.world_size,
        "detail": detail.words,
        "note": NOTE,
        "exporter": "ocr-baseline",
    }


def _events(run: Run, others: Iterable[RankRun], detail: Detail) -> Iterator[str]:
    # What other ranks did before rank 0's recorder began is shown from there.
    events = Events(begins_s(run))
    name = run.info.name or run.info.id or "unnamed run"
    yield from events.process(1, name if run.world_size == 1 else f"rank 0 of {name}")
    yield from main_process_events(events, 1, run, 0.0, detail)
    yield from worker_events(events, 1, run.workers, 0.0)
    if run.profile_window is not None:
        yield from window_events(events, 1, run.profile_window, 0.0)
    if run.memory is not None:
        yield from memory_events(events, 1, run.memory, 0.0)
    yield from chain.from_iterable(_of_rank(events, one, detail) for one in others)


def _of_rank(events: Events, one: RankRun, detail: Detail) -> Iterator[str]:
    clock = "" if one.is_same_clock else " (another clock: placed by its date)"
    yield from events.process(one.rank + 1, f"rank {one.rank}{clock}")
    yield from main_process_events(events, one.rank + 1, one.run, one.offset_s, detail)
