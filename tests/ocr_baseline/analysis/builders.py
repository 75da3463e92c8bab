"""Builders of runs whose times are known by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.document import Baseline, Finding
from ocr_baseline.model.run import (
    BatchTable,
    EpochRecord,
    MemorySamples,
    OperationRecord,
    Run,
    RunInfo,
    StageRecord,
    WorkerRecord,
)
from ocr_baseline.vocabulary import Stage

Tails = Sequence[Mapping[str, float]]


def table(
    batches: int,
    lines_s: Mapping[str, ArrayLike],
    *,
    batches_a_pass: int | None = None,
    samples: ArrayLike = 4.0,
    begin_s: float = 0.0,
    dataloader_idx: ArrayLike = 0,
) -> BatchTable:
    """Batches one after the other; a line's times may be one number for all batches."""
    columns = {
        line: np.broadcast_to(np.asarray(value, dtype=np.float64), (batches,)).copy()
        for line, value in lines_s.items()
    }
    duration_s: NDArray[np.float64] = sum(columns.values(), np.zeros(batches))
    number = np.arange(batches)
    a_pass = batches_a_pass or max(batches, 1)
    return BatchTable(
        epoch=number // a_pass,
        batch_idx=number % a_pass,
        dataloader_idx=np.broadcast_to(np.asarray(dataloader_idx), (batches,)).astype(np.int64),
        start_s=begin_s + np.concatenate([[0.0], np.cumsum(duration_s)])[:batches],
        duration_s=duration_s,
        samples=np.broadcast_to(np.asarray(samples, dtype=np.float64), (batches,)).copy(),
        lines_s={line: column.astype(np.float32) for line, column in columns.items()},
    )


def stage(
    which: Stage, batches: BatchTable | None, *, tails_s: Tails = (), events: int = 0
) -> StageRecord:
    """A recorded stage; `tails_s` has the tail of each pass (none: passes without tails)."""
    passes = 0 if batches is None else int(batches.epoch[-1]) + 1 if len(batches.epoch) else 0
    tails = [dict(tail) for tail in tails_s] or [{} for _ in range(passes)]
    a_pass = 0 if batches is None else len(batches.epoch) // max(passes, len(tails), 1)
    return StageRecord(
        stage=which,
        batches=batches,
        epochs=tuple(
            EpochRecord(epoch=number, started_s=0.0, batches=a_pass, events=events, tail_s=tail)
            for number, tail in enumerate(tails)
        ),
    )


def run(*stages: StageRecord, **fields: Any) -> Run:
    """A finished run that the recorder recorded."""
    return Run(info=RunInfo(source="recorder", status="finished"), stages=stages, **fields)


def steady_run(
    lines_s: Mapping[str, ArrayLike],
    *,
    which: Stage = Stage.TRAIN,
    batches: int = 24,
    batches_a_pass: int | None = None,
    tails_s: Tails = (),
    **fields: Any,
) -> Run:
    """A run of one stage."""
    found = table(batches, lines_s, batches_a_pass=batches_a_pass)
    return run(stage(which, found, tails_s=tails_s), **fields)


def worker(
    start_s: Sequence[float],
    end_s: Sequence[float],
    lines_s: Mapping[str, Sequence[float]],
    *,
    number: int = 0,
    which: Stage = Stage.TRAIN,
    pid: int | None = None,
    asked_s: float | None = None,
    ready_s: float | None = None,
) -> WorkerRecord:
    """A worker process that made a batch from each start to the end beside it."""
    return WorkerRecord(
        stage=which,
        worker=number,
        pid=1000 + number if pid is None else pid,
        asked_s=asked_s,
        ready_s=ready_s,
        start_s=np.asarray(start_s, dtype=np.float64),
        end_s=np.asarray(end_s, dtype=np.float64),
        lines_s={line: np.asarray(column, dtype=np.float64) for line, column in lines_s.items()},
    )


def operation(
    name: str, exclusive_s: float, *, which: Stage = Stage.TRAIN, in_worker: bool = False
) -> OperationRecord:
    """An operation that was called ten times."""
    return OperationRecord(
        name=name,
        stage=which,
        process="worker" if in_worker else "main",
        calls=10,
        total_s=exclusive_s,
        exclusive_s=exclusive_s,
        in_main_thread=not in_worker,
    )


def loaded_run(
    *,
    making_s: Sequence[float],
    main_s: float,
    workers: int,
    operation_share: float = 0.0,
    delivering_s: float = 0.0,
    prefetch: int = 2,
    **fields: Any,
) -> Run:
    """A training run of one pass whose loader behaved as PyTorch's does, with no cost of its own.

    Each batch takes `making_s` in its worker, `operation_share` of it in the operation `decode`,
    and then `delivering_s` beside the next one; the main thread works `main_s` after each.
    """
    free_s = [0.0] * workers
    delivered_s = [0.0] * workers
    starts: list[list[float]] = [[] for _ in range(workers)]
    ends: list[list[float]] = [[] for _ in range(workers)]
    handed_over_s: list[float] = []
    waits_s: list[float] = []
    now_s = 0.0
    for position, making in enumerate(making_s):
        number = position % workers
        sent_s = (
            0.0 if position < workers * prefetch else handed_over_s[position - workers * prefetch]
        )
        starts[number].append(max(free_s[number], sent_s))
        free_s[number] = starts[number][-1] + making
        ends[number].append(free_s[number])
        delivered_s[number] = max(free_s[number], delivered_s[number]) + delivering_s
        waits_s.append(max(delivered_s[number] - now_s, 0.0))
        handed_over_s.append(now_s + waits_s[-1])
        now_s = handed_over_s[-1] + main_s
    first, later = np.zeros(len(waits_s)), np.asarray(waits_s)
    first[0], later = later[0], np.concatenate([[0.0], later[1:]])
    rows = table(len(waits_s), {"loader_startup": first, "data_wait": later, "forward": main_s})
    records = [
        worker(
            starts[number],
            ends[number],
            {
                "op:decode": [
                    (e - s) * operation_share
                    for s, e in zip(starts[number], ends[number], strict=True)
                ],
                "fetch": [
                    (e - s) * (1 - operation_share)
                    for s, e in zip(starts[number], ends[number], strict=True)
                ],
            },
            number=number,
        )
        for number in range(workers)
    ]
    decoded_s = sum(making_s) * operation_share
    return run(
        stage(Stage.TRAIN, rows),
        workers=tuple(records),
        operations=(operation("decode", decoded_s, in_worker=True),) if operation_share else (),
        **fields,
    )


def memory_samples(
    main_bytes: ArrayLike, workers_bytes: ArrayLike, *, every_s: float = 5.0, **fields: Any
) -> MemorySamples:
    """Memory read at even intervals."""
    main, workers = np.broadcast_arrays(
        np.asarray(main_bytes, dtype=np.float64), np.asarray(workers_bytes, dtype=np.float64)
    )
    return MemorySamples(
        at_s=np.arange(len(main), dtype=np.float64) * np.float64(every_s),
        tree_rss_bytes=main + workers,
        main_rss_bytes=main.copy(),
        workers_rss_bytes=workers.copy(),
        system_memory_percent=np.full(len(main), 40.0),
        **fields,
    )


def with_environment(measured_run: Run, **identity: Any) -> Run:
    """The same run with more known of its environment's identity."""
    return replace(
        measured_run, environment_identity={**measured_run.environment_identity, **identity}
    )


def findings(measured_run: Run, rule: str) -> list[Finding]:
    """What one rule found in a run."""
    return [
        finding
        for finding in analyze(measured_run).findings
        if finding.id == rule or finding.id.startswith(rule + ":")
    ]


def finding(measured_run: Run, rule: str) -> Finding:
    """The one finding of a rule in a run."""
    [found] = findings(measured_run, rule)
    return found


def evidence(found: Finding) -> dict[str, float]:
    """A finding's evidence by metric."""
    return {item.metric: item.value for item in found.evidence}


def silent_rules(document: Baseline) -> list[str]:
    """The notes on rules that could not judge."""
    return [note for note in document.measurement.notes if note.startswith("not judged")]
