"""What data-loader workers did: when each started, and each batch that it made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.trace.detail import blocks, detail_of
from ocr_baseline.vocabulary import IDLE_LINE, PHASE_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocr_baseline.model.run import WorkerRecord
    from ocr_baseline.reports.trace.detail import Detail
    from ocr_baseline.reports.trace.events import Events, Track


def worker_events(
    events: Events, process: int, workers: Sequence[WorkerRecord], offset_s: float
) -> Iterator[str]:
    """Yield a row for each worker of a loader, for as many as there were at a time."""
    detail = detail_of(sum(len(worker.start_s) for worker in workers))
    rows: dict[tuple[str, int], list[tuple[float, Track]]] = {}
    for worker in sorted((one for one in workers if _known(one)), key=lambda one: _known(one)[0]):
        began_s, ended_s = _known(worker)
        lanes = rows.setdefault((worker.stage.value, worker.worker), [])
        free = next((number for number, lane in enumerate(lanes) if lane[0] <= began_s), None)
        if free is None:
            words = PHASE_WORDS.get(worker.stage.value, worker.stage.value)
            track, made = events.track(process, f"{words}: loader worker {worker.worker}")
            yield from made
            lanes.append((ended_s, track))
        else:
            track = lanes[free][1]
            lanes[free] = (ended_s, track)
        yield from _of_worker(events, track, worker, offset_s, detail)


def _known(worker: WorkerRecord) -> list[float]:
    """Return the first and the last instant that is known of a worker, or nothing."""
    instants = [one for one in (worker.asked_s, worker.ready_s) if one is not None]
    if len(worker.start_s):
        instants += [float(worker.start_s[0]), float(worker.end_s[-1])]
    return [min(instants), max(instants)] if instants else []


def _of_worker(
    events: Events, track: Track, worker: WorkerRecord, offset_s: float, detail: Detail
) -> Iterator[str]:
    who: dict[str, float] = {"worker_pid": worker.pid}
    if worker.asked_s is not None and worker.ready_s is not None:
        asked_ns = events.instant_ns(worker.asked_s + offset_s)
        ready_ns = events.instant_ns(worker.ready_s + offset_s)
        yield events.slice(track, "start of the worker", asked_ns, ready_ns, who)
    lines = [line for line in worker.lines_s if line != IDLE_LINE]
    for rows in blocks(len(worker.start_s), detail.batches_per_slice):
        last = rows.stop - 1
        start_ns = events.instant_ns(float(worker.start_s[rows.start]) + offset_s)
        end_ns = events.instant_ns(float(worker.end_s[last]) + offset_s)
        told = who if last == rows.start else who | {"batches": rows.stop - rows.start}
        yield events.slice(track, "make a batch", start_ns, end_ns, told)
        if detail.has_lines:
            parts = ((line, float(worker.lines_s[line][last])) for line in lines)
            yield from events.summed(track, start_ns, end_ns, parts)
