"""What removing work of the main thread saves, where loader workers may not keep up without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.replay.worker_replay import worker_replay

if TYPE_CHECKING:
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Phase


def main_thread_saving(
    measured: Measured, phase: Phase, line: str, took_s: float, what: str
) -> tuple[float, str]:
    """Return what removing a line of the main thread saves in seconds, and the basis of that.

    It saves what it took, less what the replay of the phase's loader waits longer: while the line
    ran, workers got ahead.

    Args:
        measured: The run.
        phase: The phase.
        line: The line, as the batches have it.
        took_s: Its time over the phase.
        what: What is removed, as in "removing it".
    """
    basis = f"{what}: it ran in the main thread, so the stage gets shorter by the time it took"
    if measured.environment.accelerator not in {None, "cpu"}:
        basis += ", except for time spent waiting there for work queued on the accelerator"
    replay = worker_replay(measured, phase)
    if replay is None:
        return took_s, basis
    added_wait_s = replay.added_wait_without_main_s(line)
    if added_wait_s > 0:
        basis += ", minus the longer wait for the loader's workers that would follow (replayed)"
    return max(took_s - added_wait_s, 0.0), basis
