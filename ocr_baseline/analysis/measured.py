"""Everything that was measured in a run, as the findings see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ocr_baseline.analysis.phases.stage_times import StageTimes
    from ocr_baseline.analysis.replay.loader_replay import LoaderReplay
    from ocr_baseline.analysis.workers import WorkerTimes
    from ocr_baseline.model.document import (
        BreakdownLine,
        Measurement,
        Memory,
        Operation,
        Phase,
        TrainVsValidation,
        Workers,
    )
    from ocr_baseline.model.run import Run
    from ocr_baseline.vocabulary import Stage


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The input of each rule: sections of the document, and the series behind them.

    `times` and `worker_times` are empty where a source holds no batches.
    """

    run: Run
    phases: list[Phase]
    operations: list[Operation]
    workers: list[Workers]
    measurement: Measurement
    train_vs_validation: TrainVsValidation | None = None
    memory: Memory | None = None
    times: Mapping[Stage, StageTimes] = field(default_factory=dict)
    worker_times: Mapping[Stage, WorkerTimes] = field(default_factory=dict)
    replays: dict[str, LoaderReplay | None] = field(default_factory=dict, repr=False)
    """By phase, filled by `worker_replay`, which several rules ask for the same one."""

    @property
    def whole_phases(self) -> list[Phase]:
        """The phases over all their loaders."""
        return [phase for phase in self.phases if phase.dataloader is None]

    def phase(self, name: str) -> Phase | None:
        """Return a phase over all its loaders, None when it did not run."""
        return next((phase for phase in self.whole_phases if phase.name == name), None)


def line_of(phase: Phase, name: str) -> BreakdownLine | None:
    """Return a line of a phase's breakdown, None when nothing was charged to it."""
    return next((line for line in phase.breakdown if line.name == name), None)
