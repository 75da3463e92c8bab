"""The lines of a step that a loop of the user's own did not name: their time isn't known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.model.run import Missing
from ocr_baseline.vocabulary import PHASES, Line, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ocr_baseline.model.run import StageRecord


def unnamed_lines(stages: Iterable[StageRecord]) -> Iterator[Missing]:
    """Yield an entry for each part of a step that no stage's batch or pass has time in."""
    for record in stages:
        named = {name for epoch in record.epochs for name in epoch.tail_s}
        if record.batches is not None:
            named |= set(record.batches.lines_s)
        for line in _parts_of_a_step(record.stage):
            if line.value not in named:
                yield Missing(
                    metric=f"phases.{PHASES[record.stage]}.breakdown.{line.value}",
                    reason="not_collected",
                    detail=f'no record.line("{line.value}") in this stage: its time is in other',
                )


def _parts_of_a_step(stage: Stage) -> tuple[Line, ...]:
    is_training = stage is Stage.TRAIN
    return (Line.FORWARD, Line.BACKWARD, Line.OPTIMIZER) if is_training else (Line.FORWARD,)
