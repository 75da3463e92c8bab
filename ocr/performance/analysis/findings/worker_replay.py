"""The replay of a phase's loader, for the rules that ask what a change to it would save."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr.performance.analysis.loader_passes import replay_of_workers
from ocr.performance.stages import Stage

if TYPE_CHECKING:
    from ocr.performance.analysis.measured import Measured
    from ocr.performance.analysis.replay import LoaderReplay
    from ocr.performance.baseline import Phase


def worker_replay(measured: Measured, phase: Phase) -> LoaderReplay | None:
    """Return the replay of the phase's workers, None when it has none or they can't be told."""
    stage = Stage(phase.name)
    times, workers = measured.times.get(stage), measured.worker_times.get(stage)
    if times is None or workers is None:
        return None
    others = [other for name, other in measured.times.items() if name is not stage]
    return replay_of_workers(times, workers.records, others)


def cpu_count(measured: Measured) -> int | None:
    """Return how many processors the run could use, None when it was not recorded."""
    count = measured.run.environment_identity.get("cpu_count")
    return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else None
