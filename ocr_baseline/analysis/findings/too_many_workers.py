"""More loader workers than the machine has cores for, or than the stage has work for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.rule import count_evidence, too_few_batches
from ocr_baseline.analysis.replay.worker_replay import worker_replay
from ocr_baseline.model.document import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.findings.rule import Silence
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Phase, Workers

RULE = "too-many-workers"
IDLE_BUSY_SHARE = 0.25
HARMLESS_SHARE = 0.01


def too_many_workers(measured: Measured) -> Iterator[Finding | Silence]:
    """Find stages with more workers than cores (medium), or mostly idle ones (info).

    PyTorch's `DataLoader` warns of more workers than the process may use cores: they take turns.
    Workers are mostly idle when they spend less than a quarter of the stage making batches and the
    replay with half of them takes no more than 1% of the stage longer (limits of this
    project's choice: at a quarter, half the workers would still be idle half the time). That costs
    memory and start-up, not time, so no saving is given.
    """
    cores = measured.environment.cpu_count
    for workers in measured.workers:
        phase = measured.phase(workers.phase)
        if phase is None or not phase.total_s:
            continue
        if cores is not None and workers.count > cores:
            yield _more_than_cores(workers, cores)
            continue
        busy_share = workers.busy_s / (workers.count * phase.total_s)
        if workers.count < 2 or busy_share > IDLE_BUSY_SHARE:
            continue
        silence = too_few_batches(RULE, phase)
        if silence is not None:
            yield silence
        elif _half_would_do(measured, phase, workers.count):
            yield _mostly_idle(workers, busy_share)


def _half_would_do(measured: Measured, phase: Phase, count: int) -> bool:
    replay = worker_replay(measured, phase)
    if replay is None:
        return False
    longer_s = replay.with_workers(count // 2).total_s - replay.as_measured.total_s
    return longer_s <= HARMLESS_SHARE * (phase.total_s or 0.0)


def _more_than_cores(workers: Workers, cores: int) -> Finding:
    return Finding(
        id=f"{RULE}:{workers.phase}",
        severity="medium",
        title=f"{workers.phase} has more loader workers than there are cores",
        evidence=[
            count_evidence(f"workers.{workers.phase}.count", workers.count),
            count_evidence("environment.identity.cpu_count", cores),
        ],
        advice=f"Set the loader's num_workers to {cores} at most: beyond that, workers take turns "
        "with each other and with the main thread.",
    )


def _mostly_idle(workers: Workers, busy_share: float) -> Finding:
    return Finding(
        id=f"{RULE}:{workers.phase}",
        severity="info",
        title=f"Half of {workers.phase}'s loader workers would do",
        evidence=[
            count_evidence(f"workers.{workers.phase}.count", workers.count),
            Evidence(metric=f"workers.{workers.phase}.busy_share", value=busy_share, unit="share"),
        ],
        advice=f"Set the loader's num_workers to {workers.count // 2}: by the replay the stage "
        "waits no longer, and each worker less saves its memory and its start-up.",
    )
