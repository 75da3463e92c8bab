"""More loader workers than the machine has cores for, or than the stage has work for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import TOO_MANY_WORKERS
from ocr_baseline.analysis.findings.rule import count_evidence, title, too_few_batches
from ocr_baseline.analysis.replay.worker_replay import worker_replay
from ocr_baseline.model.document import Evidence, Finding
from ocr_baseline.vocabulary import PHASE_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.findings.rule import Silence
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Phase, Workers


def too_many_workers(measured: Measured) -> Iterator[Finding | Silence]:
    """Find stages with more workers than cores (medium), or mostly idle ones (info).

    PyTorch's `DataLoader` warns when there are more workers than cores that the process may use:
    they take turns. Workers are mostly idle when they spend little of the stage making batches and
    the replay with half of them takes hardly longer: busy a quarter of the time, half the workers
    would still be idle half the time. That costs memory and startup, not time, so no saving is
    given.
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
        if workers.count < 2 or busy_share > TOO_MANY_WORKERS["busy"]:
            continue
        silence = too_few_batches(TOO_MANY_WORKERS, phase)
        if silence is not None:
            yield silence
        elif _half_would_do(measured, phase, workers.count):
            yield _mostly_idle(workers, busy_share)


def _half_would_do(measured: Measured, phase: Phase, count: int) -> bool:
    replay = worker_replay(measured, phase)
    if replay is None:
        return False
    longer_s = replay.with_workers(count // 2).total_s - replay.as_measured.total_s
    return longer_s <= TOO_MANY_WORKERS["harmless"] * (phase.total_s or 0.0)


def _more_than_cores(workers: Workers, cores: int) -> Finding:
    return Finding(
        id=f"{TOO_MANY_WORKERS.id}:{workers.phase}",
        severity="medium",
        title=title(f"{PHASE_WORDS[workers.phase]} has more loader workers than there are cores"),
        evidence=[
            count_evidence(f"workers.{workers.phase}.count", workers.count),
            count_evidence("environment.identity.cpu_count", cores),
        ],
        advice=f"Set the loader's num_workers to at most {cores}: beyond that, workers take turns "
        "with each other and the main thread.",
    )


def _mostly_idle(workers: Workers, busy_share: float) -> Finding:
    return Finding(
        id=f"{TOO_MANY_WORKERS.id}:{workers.phase}",
        severity="info",
        title=f"Half of the loader workers would do in {PHASE_WORDS[workers.phase]}",
        evidence=[
            count_evidence(f"workers.{workers.phase}.count", workers.count),
            Evidence(metric=f"workers.{workers.phase}.busy_share", value=busy_share, unit="share"),
        ],
        advice=f"Set the loader's num_workers to {workers.count // 2}: in the replay the stage "
        "waits no longer, and each removed worker saves its memory and startup.",
    )
