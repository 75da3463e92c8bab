"""How long a trial is, and what the whole run takes by it: its passes and batches, extrapolated.

A trial trains a few passes of limited length. Of each stage it shows what a pass takes whatever its
length (workers that start, hooks, checkpoints) and what each further batch takes; the run has more
of both. Where a trial is as long as the run, this is what it took.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.unchanged_script.settings import Limits
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.analysis.phases.stage_times import StageTimes

MOST_EPOCHS = 3
MIN_BATCHES = 16
"""Of a pass, in a trial: the second half of them tells what one more batch takes."""
STAGES = (Stage.TRAIN, Stage.VALIDATION)


@dataclass(frozen=True, kw_only=True)
class StageShape:
    """How much of a stage the run has; `longest` is the number of batches of its longest pass."""

    passes: int
    batches: int
    longest: int
    samples: int | None
    total_s: float


def shapes_of(measured: Measured) -> dict[Stage, StageShape]:
    """Return the shape of training and validation, as far as they ran."""
    shapes = {}
    for stage in STAGES:
        times = measured.times.get(stage)
        if times is not None and len(times.durations_s):
            lengths = [rows.stop - rows.start for rows in times.passes()]
            shapes[stage] = StageShape(
                passes=len(lengths),
                batches=sum(lengths),
                longest=max(lengths),
                samples=times.samples,
                total_s=times.total_s,
            )
    return shapes


def limits_of(shapes: Mapping[Stage, StageShape], seconds: float) -> Limits:
    """Return the limits of a trial that is to take about so many seconds as the run is."""
    epochs = min(shapes[Stage.TRAIN].passes, MOST_EPOCHS)
    whole_s = sum(shape.total_s for shape in shapes.values())
    part = min(seconds / whole_s, 1.0) if whole_s else 1.0

    def batches(stage: Stage) -> int | None:
        shape = shapes.get(stage)
        if shape is None:
            return None
        wanted = round(part * shape.batches / epochs)
        return min(max(wanted, MIN_BATCHES), shape.longest)

    return Limits(
        max_epochs=epochs,
        train_batches=batches(Stage.TRAIN),
        validation_batches=batches(Stage.VALIDATION),
    )


def projected_s(times: StageTimes, shape: StageShape) -> float:
    """Return what a stage of the run takes by a trial of it, in seconds."""
    passes = [times.durations_s[rows] for rows in times.passes()]
    halves = [durations_s[len(durations_s) // 2 :] for durations_s in passes]
    batch_s = float(np.concatenate(halves).mean())
    fixed_s = [
        float(durations_s.sum()) - batch_s * len(durations_s) + tail_s
        for durations_s, tail_s in zip(passes, _tails_s(times, len(passes)), strict=True)
    ]
    later_s = float(np.mean(fixed_s[1:] or fixed_s))
    batches = _batches_of_run(times, shape)
    return fixed_s[0] + (shape.passes - 1) * later_s + batches * batch_s


def _tails_s(times: StageTimes, passes: int) -> list[float]:
    tails_s = [sum(epoch.tail_s.values()) for epoch in times.record.epochs]
    return tails_s if len(tails_s) == passes else [times.tail_s / passes] * passes


def _batches_of_run(times: StageTimes, shape: StageShape) -> float:
    """Return how many batches of the trial's size the run has."""
    table = times.table
    if shape.samples is None or table is None or np.isnan(table.samples).any():
        return shape.batches
    size = float(np.median(table.samples))
    usual = shape.samples / shape.batches
    # The last batch of a pass may be smaller: only another size counts.
    return shape.batches if size < 1.5 * usual else shape.samples / size
