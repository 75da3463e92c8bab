"""What the main thread of one rank did: start-up, passes, batches with their lines, checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.page.passes import checkpoints, passes
from ocr_baseline.reports.trace.detail import MAX_WITH_LINES, blocks
from ocr_baseline.vocabulary import OPERATION_LINE_PREFIX, PHASE_WORDS, Line, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ocr_baseline.model.run import BatchTable, Run, StageRecord, StartRecord
    from ocr_baseline.reports.page.passes import Pass
    from ocr_baseline.reports.trace.detail import Detail
    from ocr_baseline.reports.trace.events import Events

_ORDER = {line.value: place for place, line in enumerate(Line)}


def set_up_begins_s(run: Run) -> float | None:
    """Return when the set-up began, in seconds of the run; None where the start isn't known."""
    first = _first_batch_s(run)
    if run.start is None or first is None:
        return None
    return first - run.start.sanity_check_s - sum(run.start.lines_s.values())


def begins_s(run: Run) -> float:
    """Return the earliest instant that is known of the run; what came before its recorder is < 0.

    The records count from the recorder's start.
    """
    set_up_s = set_up_begins_s(run)
    if run.start is None or set_up_s is None:
        return 0.0
    return min(0.0, set_up_s - sum(run.start.before_s.values()))


def main_process_events(
    events: Events, process: int, run: Run, offset_s: float, detail: Detail
) -> Iterator[str]:
    """Yield one row for each kind of thing; `offset_s` is where the run's own time begins."""
    if run.start is not None:
        yield from _start_up(events, process, run, run.start, offset_s)
    found = passes(run)
    for record in run.stages:
        own = [one for one in found if one.stage == record.stage.value]
        yield from _passes(events, process, record.stage, own, offset_s)
        if record.batches is not None and len(record.batches.start_s):
            yield from _batches(events, process, record, record.batches, offset_s, detail)
    yield from _checkpoints(events, process, run, found, offset_s)


def _first_batch_s(run: Run) -> float | None:
    tables = [one.batches for one in run.stages if one.stage is Stage.TRAIN]
    return next((float(one.start_s[0]) for one in tables if one and len(one.start_s)), None)


def _start_up(
    events: Events, process: int, run: Run, start: StartRecord, offset_s: float
) -> Iterator[str]:
    set_up_s, first_batch_s = set_up_begins_s(run), _first_batch_s(run)
    if set_up_s is None or first_batch_s is None:
        return
    track, made = events.track(process, "start-up")
    yield from made
    at_s = set_up_s - sum(start.before_s.values())
    begin_ns, set_up_ns, end_ns = (
        events.instant_ns(instant_s + offset_s) for instant_s in (at_s, set_up_s, first_batch_s)
    )
    if set_up_ns > begin_ns:
        yield events.slice(track, "before the set-up", begin_ns, set_up_ns)
        yield from events.summed(track, begin_ns, set_up_ns, start.before_s.items())
    parts = [*_in_order(start.lines_s), ("sanity check", start.sanity_check_s)]
    yield events.slice(track, "set-up", set_up_ns, end_ns)
    yield from events.summed(track, set_up_ns, end_ns, parts)


def _passes(
    events: Events, process: int, stage: Stage, found: list[Pass], offset_s: float
) -> Iterator[str]:
    if not found:
        return
    track, made = events.track(process, f"{PHASE_WORDS[stage.value]}: epochs")
    yield from made
    for rows in blocks(len(found), -(-len(found) // MAX_WITH_LINES)):
        first, last = found[rows][0], found[rows][-1]
        name = f"epoch {first.epoch}" if first is last else f"epochs {first.epoch}-{last.epoch}"
        start_ns = events.instant_ns(first.start_s + offset_s)
        yield events.slice(track, name, start_ns, events.instant_ns(last.end_s + offset_s))


def _batches(
    events: Events,
    process: int,
    record: StageRecord,
    table: BatchTable,
    offset_s: float,
    detail: Detail,
) -> Iterator[str]:
    words = PHASE_WORDS[record.stage.value]
    track, made = events.track(process, f"{words}: batches")
    yield from made
    lines = sorted(table.lines_s, key=_place)
    for rows in blocks(len(table.start_s), detail.batches_per_slice):
        last = rows.stop - 1
        end_s = float(table.start_s[last] + table.duration_s[last])
        start_ns = events.instant_ns(float(table.start_s[rows.start]) + offset_s)
        end_ns = events.instant_ns(end_s + offset_s)
        arguments = _arguments(table, rows)
        yield events.slice(track, f"{words} batch", start_ns, end_ns, arguments)
        if detail.has_lines:
            parts = ((line, float(table.lines_s[line][last])) for line in lines)
            yield from events.summed(track, start_ns, end_ns, parts)


def _arguments(table: BatchTable, rows: slice) -> dict[str, float]:
    last = rows.stop - 1
    if last == rows.start:
        told: dict[str, float] = {
            "epoch": int(table.epoch[last]),
            "batch": int(table.batch_idx[last]),
            "dataloader": int(table.dataloader_idx[last]),
        }
    else:
        told = {
            "batches": rows.stop - rows.start,
            "first_epoch": int(table.epoch[rows.start]),
            "last_epoch": int(table.epoch[last]),
            "time_in_batches_s": float(table.duration_s[rows].sum()),
            "longest_batch_s": float(table.duration_s[rows].max()),
        }
    samples = float(table.samples[rows].sum())
    return told | ({} if samples != samples else {"samples": int(samples)})


def _checkpoints(
    events: Events, process: int, run: Run, found: list[Pass], offset_s: float
) -> Iterator[str]:
    spans = checkpoints(run, found)
    if not spans:
        return
    track, made = events.track(process, "checkpoints")
    yield from made
    free_ns = 0
    for rows in blocks(len(spans), -(-len(spans) // MAX_WITH_LINES)):
        first, last = spans[rows][0], spans[rows][-1]
        # Two that follow each other at once are placed to about a millisecond.
        start_ns = max(free_ns, events.instant_ns(first.start_s + offset_s))
        free_ns = max(start_ns, events.instant_ns(last.end_s + offset_s))
        yield events.slice(track, "checkpoint", start_ns, free_ns)


def _place(line: str) -> tuple[float, str]:
    """Order lines as a step runs; operations and other lines with names stand after the step's."""
    if line.startswith(OPERATION_LINE_PREFIX):
        return _ORDER[Line.FORWARD.value] + 0.5, line
    return float(_ORDER.get(line.partition(":")[0], len(_ORDER))), line


def _in_order(lines_s: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(lines_s.items(), key=lambda one: _place(one[0]))
