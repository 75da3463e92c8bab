"""Everything that was measured in a run, as the findings see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ocr_baseline.model.document import time_of_run, whole_phase
from ocr_baseline.vocabulary import PHASE_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ocr_baseline.analysis.findings.more_workers import MoreWorkers
    from ocr_baseline.analysis.functions.sampled_lines import SampledLine
    from ocr_baseline.analysis.phases.stage_times import StageTimes
    from ocr_baseline.analysis.replay.loader_replay import LoaderReplay
    from ocr_baseline.analysis.workers import WorkerTimes
    from ocr_baseline.model.document import (
        BreakdownLine,
        Goodput,
        KnownEnvironment,
        Measurement,
        Memory,
        Operation,
        Phase,
        ProfileWindow,
        Start,
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
    environment: KnownEnvironment
    train_vs_validation: TrainVsValidation | None = None
    start: Start | None = None
    goodput: Goodput | None = None
    memory: Memory | None = None
    profile_window: ProfileWindow | None = None
    times: Mapping[Stage, StageTimes] = field(default_factory=dict)
    worker_times: Mapping[Stage, WorkerTimes] = field(default_factory=dict)
    sampled: Mapping[tuple[str, str], SampledLine] = field(default_factory=dict)
    """By phase and line, as in the document; `fetch` is what the workers do to make batches."""
    replays: dict[str, LoaderReplay | None] = field(default_factory=dict, repr=False)
    """By phase, filled by `worker_replay`, which several rules ask for the same one."""
    more_workers: dict[str, MoreWorkers | None] = field(default_factory=dict, repr=False)
    """By phase, filled by the function of that name, for the same reason."""

    def phase(self, name: str) -> Phase | None:
        """Return a phase, as the document's `whole_phase` finds it."""
        return whole_phase(self.phases, name)

    @property
    def whole_phases(self) -> list[Phase]:
        """The phase of each name that has one."""
        return [phase for name in PHASE_NAMES if (phase := self.phase(name)) is not None]

    def workers_of(self, phase: Phase) -> Workers | None:
        """Return the workers that made a phase's batches, None where none was recorded."""
        return next((entry for entry in self.workers if entry.phase == phase.name), None)

    def loader_operations(self, phase: Phase) -> list[BreakdownLine]:
        """Return the lines of named operations that run while the main thread makes batches.

        The records charge an operation's time to a line of its own. That it ran within the loader
        is told by its sampled stacks, so none is known where nothing was sampled.
        """
        operations = {operation.name for operation in self.operations}
        return [
            line
            for line in phase.breakdown
            if line.name in operations
            and (sampled := self.sampled.get((phase.name, line.name))) is not None
            and sampled.makes_batches
        ]

    @property
    def total_s(self) -> float:
        """The time that shares of the run are of."""
        return time_of_run(self.run.info, self.whole_phases, self.start)


def line_of(phase: Phase, name: str) -> BreakdownLine | None:
    """Return a line of a phase's breakdown, None when nothing was charged to it."""
    return next((line for line in phase.breakdown if line.name == name), None)
