"""The passes of a stage over its loaders, each batch with what its worker took to make it.

A batch doesn't say which worker made it; its turn does. The batches of a pass go to the workers in
turn, so the n-th batch that a worker began within the time of a pass is batch
`worker + n x workers` of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.analysis.replay.delivery import split_delivery
from ocr_baseline.analysis.replay.loader_replay import LoaderReplay
from ocr_baseline.analysis.replay.loader_timeline import PREFETCH_FACTOR, LoaderPass
from ocr_baseline.analysis.replay.shared_processors import ONE_FOR_EVERYTHING, Processors
from ocr_baseline.analysis.workers import batch_wait_s
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from ocr_baseline.analysis.phases.stage_times import StageTimes
    from ocr_baseline.model.run import BatchTable, WorkerRecord

MAX_BATCHES = 5_000
MIN_BATCHES_A_PASS = 500


def replay_of_workers(
    times: StageTimes,
    records: Iterable[WorkerRecord],
    other_stages: Iterable[StageTimes] = (),
    processors: Processors = ONE_FOR_EVERYTHING,
    in_sampler: float = 0.0,
) -> LoaderReplay | None:
    """Return the replay of a stage whose batches workers made.

    None when passes can't be separated: without records of workers, and where two loaders with
    workers of their own were read at the same time.

    Args:
        times: The stage.
        records: The workers of the stage.
        other_stages: The rest of the run; what workers made before another stage's batch was for
            the sanity check or a pass that was cut short, not for the pass that followed.
        processors: What the main thread and the workers share.
        in_sampler: The share of the waits for batches in which the main thread read the sampler.
    """
    table = times.table
    if table is None or len(table.start_s) == 0:
        return None
    rows = _chosen(_loader_passes(table, times.is_first_of_epoch))
    begin_s, end_s = _windows(table, rows, [other.table for other in other_stages])
    made = _made_between(records, begin_s, end_s)
    wait_s = batch_wait_s(table)
    passes = [
        found
        for taken, batches_made in zip(rows, made, strict=True)
        if (found := _pass_of_workers(table, wait_s, taken, batches_made, in_sampler)) is not None
    ]
    if not passes:
        return None
    return LoaderReplay(
        wait_s=float(wait_s.sum()), batches=len(wait_s), passes=passes, processors=processors
    )


def replay_of_main_thread(
    times: StageTimes,
    processors: Processors = ONE_FOR_EVERYTHING,
    in_sampler: Mapping[str, float] | None = None,
) -> LoaderReplay | None:
    """Return the replay of a stage whose main thread made its batches, None of no batches.

    Args:
        times: The stage.
        processors: What the main thread and workers would share.
        in_sampler: By line of the wait, the share in which the main thread read the sampler: it is
            no making of batches, and stays with the main thread when workers make them.
    """
    table = times.table
    if table is None or len(table.start_s) == 0:
        return None
    wait_s = batch_wait_s(table)
    sampler_s = np.zeros(len(wait_s))
    for line, share in (in_sampler or {}).items():
        sampler_s += share * table.lines_s.get(line, 0.0)
    passes = [
        LoaderPass(
            main_s=_main_work_s(table, wait_s, taken),
            fetch_s=wait_s[taken] - sampler_s[taken],
            deliver_s=np.zeros(taken.stop - taken.start),
            receive_s=sampler_s[taken],
            lines_s={},
            ready_s=np.empty(0),
            sampler_share=1.0,
        )
        for taken in _chosen(_loader_passes(table, times.is_first_of_epoch))
    ]
    return LoaderReplay(
        wait_s=float(wait_s.sum()), batches=len(wait_s), passes=passes, processors=processors
    )


def _loader_passes(table: BatchTable, is_first_of_epoch: NDArray[np.bool_]) -> list[slice]:
    """Return the rows of each pass over each loader."""
    is_first = is_first_of_epoch.copy()
    is_first[1:] |= np.diff(table.dataloader_idx) != 0
    starts = np.flatnonzero(is_first)
    ends = np.append(starts, len(is_first))[1:]
    return [slice(a, b) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


def _chosen(passes: list[slice]) -> list[slice]:
    """Return passes spread over the run, each from its beginning, `MAX_BATCHES` rows at most."""
    batches = passes[-1].stop
    if batches <= MAX_BATCHES:
        return passes
    longest = max(MAX_BATCHES // len(passes), MIN_BATCHES_A_PASS)
    usual = min(longest, -(-batches // len(passes)))
    step = -(-len(passes) * usual // MAX_BATCHES)
    return [slice(one.start, min(one.stop, one.start + longest)) for one in passes[::step]]


def _windows(
    table: BatchTable, rows: list[slice], others: Iterable[BatchTable | None]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return between which moments the batches of each pass were begun, shape (passes,) each.

    Workers begin before the first batch is asked for, but not before the pass that came before
    ended, or another stage's last batch began.
    """
    firsts = np.asarray([taken.start for taken in rows])
    lasts = np.asarray([taken.stop - 1 for taken in rows])
    asked_s = table.start_s[firsts]
    before = np.maximum(firsts - 1, 0)
    begin_s = np.where(firsts > 0, table.start_s[before] + table.duration_s[before], -np.inf)
    for other in others:
        if other is not None and len(other.start_s):
            position = np.searchsorted(other.start_s, asked_s) - 1
            latest_s = np.where(position >= 0, other.start_s[np.maximum(position, 0)], -np.inf)
            begin_s = np.maximum(begin_s, latest_s)
    begin_s = np.minimum(begin_s, asked_s)
    return begin_s, table.start_s[lasts] + table.duration_s[lasts]


_Made = dict[int, list[tuple["WorkerRecord", slice]]]
"""By number of the worker: the rows of its record that fall into a pass."""


def _made_between(
    records: Iterable[WorkerRecord], begin_s: NDArray[np.float64], end_s: NDArray[np.float64]
) -> list[_Made]:
    made: list[_Made] = [{} for _ in begin_s]
    for record in records:
        if len(record.start_s) == 0:
            continue
        first = int(np.searchsorted(end_s, record.start_s[0]))
        last = int(np.searchsorted(begin_s, record.start_s[-1], side="right"))
        lows = np.searchsorted(record.start_s, begin_s[first:last])
        highs = np.searchsorted(record.start_s, end_s[first:last])
        for position, low, high in zip(range(first, last), lows, highs, strict=True):
            if high > low:
                parts = made[position].setdefault(record.worker, [])
                parts.append((record, slice(int(low), int(high))))
    return made


def _pass_of_workers(
    table: BatchTable,
    wait_s: NDArray[np.float64],
    rows: slice,
    made: _Made,
    in_sampler: float,
) -> LoaderPass | None:
    """Return the pass; a batch whose making wasn't recorded took as long as the others."""
    if not made or any(len(parts) > 1 for parts in made.values()):
        return None
    batches, workers = rows.stop - rows.start, max(made) + 1
    factor = _prefetch_factor(made)
    names = {name for [(record, _)] in made.values() for name in record.lines_s}
    asked_s = table.start_s[rows]
    handed_over_s = asked_s + wait_s[rows]
    start_s, made_s = np.full(batches, np.nan), np.full(batches, np.nan)
    lines_s = {name: np.full(batches, np.nan) for name in names}
    ready_s = np.full(workers, np.nan)
    for worker, [(record, taken)] in made.items():
        mine = np.arange(worker, batches, workers)[: taken.stop - taken.start]
        kept = slice(taken.start, taken.start + len(mine))
        start_s[mine] = record.start_s[kept]
        made_s[mine] = np.minimum(record.end_s[kept], handed_over_s[mine])
        for name in names:
            lines_s[name][mine] = record.lines_s[name][kept] if name in record.lines_s else 0.0
        ready_s[worker] = record.start_s[taken.start] - asked_s[0]
    if np.isnan(made_s).all():
        return None
    delivery = split_delivery(
        asked_s=asked_s,
        made_s=np.where(np.isnan(made_s), handed_over_s, made_s),
        there_s=handed_over_s,
        workers=workers,
    )
    return LoaderPass(
        main_s=_main_work_s(table, wait_s, rows),
        fetch_s=_filled(_making_s(start_s, made_s, handed_over_s, workers, workers * factor)),
        deliver_s=delivery.deliver_s,
        receive_s=delivery.receive_s,
        lines_s={name: _filled(column) for name, column in lines_s.items()},
        ready_s=_filled(ready_s),
        main_lines_s={name: column[rows] for name, column in table.lines_s.items()},
        prefetch_factor=factor,
        receive_ready_s=delivery.ready_s,
        sampler_share=_share_of(delivery.receive_s, in_sampler * _waited_s(table, rows)),
    )


def _waited_s(table: BatchTable, rows: slice) -> float:
    """Return the wait for batches in a pass without that for its first."""
    column = table.lines_s.get(Line.DATA_WAIT.value)
    return 0.0 if column is None else float(column[rows].sum())


def _share_of(whole_s: NDArray[np.float64], part_s: float) -> float:
    total_s = float(whole_s.sum())
    return min(part_s / total_s, 1.0) if total_s > 0 else 0.0


def _prefetch_factor(made: _Made) -> int:
    recorded = {record.prefetch_factor for [(record, _)] in made.values()}
    return next((one for one in recorded if one), PREFETCH_FACTOR)


def _making_s(
    start_s: NDArray[np.float64],
    made_s: NDArray[np.float64],
    handed_over_s: NDArray[np.float64],
    workers: int,
    ahead: int,
) -> NDArray[np.float64]:
    """Return what making each batch took from when its worker could have begun.

    That is when it had made the one before and had been asked for this one; what passed before it
    did begin (it also had to hand over the one before) would pass without any operation.
    """
    could_begin_s = start_s.copy()
    could_begin_s[workers:] = made_s[:-workers]
    could_begin_s[ahead:] = np.maximum(could_begin_s[ahead:], handed_over_s[:-ahead])
    making_s: NDArray[np.float64] = made_s - np.fmin(could_begin_s, start_s)
    return making_s


def _filled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isnan(values), np.nanmean(values), values)


def _main_work_s(
    table: BatchTable, wait_s: NDArray[np.float64], rows: slice
) -> NDArray[np.float64]:
    """Return the time from getting each batch to asking for the next.

    Where validation ran in between it counts: the workers went on meanwhile.
    """
    cycle_s = np.append(np.diff(table.start_s[rows]), table.duration_s[rows][-1])
    work_s: NDArray[np.float64] = np.maximum(cycle_s - wait_s[rows], 0.0)
    return work_s
