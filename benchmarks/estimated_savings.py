"""What removing one named operation would save, predicted from the run that was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.analysis.analyze import measure
from ocr_baseline.analysis.replay.savings import worker_replay
from ocr_baseline.vocabulary import OPERATION_LINE_PREFIX

if TYPE_CHECKING:
    from ocr_baseline.analysis.replay.loader_replay import LoaderReplay
    from ocr_baseline.model.run import OperationRecord, Run
    from ocr_baseline.vocabulary import Stage


@dataclass(frozen=True, kw_only=True)
class Saving:
    """Time by which a stage would have been shorter, over all its epochs, and how that is known."""

    saving_s: float
    basis: str


def estimate_saving(run: Run, operation: str, stage: Stage) -> Saving | None:
    """Return what a stage would save without an operation and everything that it calls.

    In the main thread that is the operation's inclusive time, less what the thread would wait
    longer for loader workers that can't keep up with it. In workers it is what the replay of the
    loader takes less, with the making of each batch shorter by the operation's time in it; the
    operations that it calls are taken to be in proportion to its own.

    Args:
        run: As the recorder's source read it.
        operation: Its name, as in the callback's `operations` or in `section`.
        stage: The stage that is to be shorter.

    Returns:
        None when the operation was not timed in the stage, or only in workers whose batches can't
        be told apart.
    """
    measured = measure(run)
    phase = measured.phase(stage.value)
    replay = None if phase is None else worker_replay(measured, phase)
    savings = [
        found
        for record in run.operations
        if record.name == operation and record.stage is stage
        if (found := _saving(record, replay)) is not None
    ]
    if not savings:
        return None
    return Saving(
        saving_s=float(sum(one.saving_s for one in savings)),
        basis=" and ".join(one.basis for one in savings),
    )


def _saving(record: OperationRecord, replay: LoaderReplay | None) -> Saving | None:
    line = OPERATION_LINE_PREFIX + record.name
    # Each batch holds exclusive times; the ratio brings in what the operation calls.
    removed = record.total_s / record.exclusive_s if record.exclusive_s > 0 else 1.0
    if record.process == "worker":
        if replay is None:
            return None
        return Saving(
            saving_s=replay.saving_without_s(line, removed),
            basis="the loader replayed with each batch made without it",
        )
    if not record.in_main_thread:
        return None
    added_wait_s = replay.added_wait_without_main_s(line, removed) if replay is not None else 0.0
    return Saving(
        saving_s=max(record.total_s - added_wait_s, 0.0),
        basis="its time in the main thread"
        + ("" if replay is None else ", less what would then be waited for workers"),
    )
