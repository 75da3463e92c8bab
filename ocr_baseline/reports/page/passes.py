"""Spans of a run on its axis of time: passes of the stages, start-up, checkpoints."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocr_baseline.vocabulary import Line, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.model.run import EpochRecord, Run, StageRecord

LEAST_CHECKPOINT_S = 0.002
"""Asking whether to write takes far less than this."""


class Pass(NamedTuple):
    """One pass of a stage: from its start to the end of its last batch, in seconds of the run."""

    stage: str
    epoch: int
    start_s: float
    end_s: float


class Span(NamedTuple):
    """Anything else that has a start and an end, in seconds of the run."""

    start_s: float
    end_s: float


def passes(run: Run) -> list[Pass]:
    """Return the passes of all stages, in the order in which they began."""
    found = [one for record in run.stages for one in _of_stage(record)]
    return sorted(found, key=lambda one: one.start_s)


def _of_stage(record: StageRecord) -> Iterator[Pass]:
    started_s = {epoch.epoch: epoch.started_s for epoch in record.epochs}
    table = record.batches
    if table is None or len(table.start_s) == 0:
        return
    edges = np.flatnonzero(np.diff(table.epoch)) + 1
    for first, last in zip([0, *edges], [*(edges - 1), len(table.epoch) - 1], strict=True):
        epoch = int(table.epoch[first])
        start_s = min(float(table.start_s[first]), started_s.get(epoch, np.inf))
        yield Pass(
            record.stage.value,
            epoch,
            start_s,
            float(table.start_s[last] + table.duration_s[last]),
        )


def end_of(run: Run, found: list[Pass]) -> float:
    """Return where the axis ends: with the run, or with what was measured last."""
    ends = [one.end_s for one in found]
    if run.info.duration_s is not None:
        ends.append(run.info.duration_s)
    if run.memory is not None and len(run.memory.at_s):
        ends.append(float(run.memory.at_s[-1]))
    return max((end_s for end_s in ends if math.isfinite(end_s)), default=0.0)


def checkpoints(run: Run, found: list[Pass]) -> list[Span]:
    """Return where checkpoints were written: in a batch, or at the end of an epoch."""
    spans: list[Span] = []
    starts_s = [one.start_s for one in found if one.stage == Stage.TRAIN.value]
    for record in run.stages:
        spans += _in_batches(record)
        spans += [
            _at_end(epoch, wrote_s, found, starts_s)
            for epoch in record.epochs
            if (wrote_s := epoch.tail_s.get(Line.CHECKPOINT.value, 0.0)) >= LEAST_CHECKPOINT_S
        ]
    return sorted(spans)


def _in_batches(record: StageRecord) -> Iterator[Span]:
    table = record.batches
    wrote_s = None if table is None else table.lines_s.get(Line.CHECKPOINT.value)
    if table is None or wrote_s is None:
        return
    for row in np.flatnonzero(wrote_s >= LEAST_CHECKPOINT_S):
        end_s = float(table.start_s[row] + table.duration_s[row])
        yield Span(end_s - float(wrote_s[row]), end_s)


def _at_end(
    epoch: EpochRecord, wrote_s: float, found: list[Pass], train_starts_s: list[float]
) -> Span:
    """Return the span after the last pass that ends before training goes on."""
    goes_on_s = min((s for s in train_starts_s if s > epoch.started_s), default=np.inf)
    own = [one.end_s for one in found if one.start_s >= epoch.started_s]
    ends = [end_s for end_s in own if end_s <= goes_on_s]
    end_s = max(ends, default=epoch.started_s)
    if end_s + wrote_s > goes_on_s:
        end_s = max(epoch.started_s, goes_on_s - wrote_s)
    return Span(end_s, end_s + wrote_s)
