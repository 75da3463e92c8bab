"""Too few loader workers to keep up, or more than there are cores or work for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import TOO_FEW_WORKERS, TOO_MANY_WORKERS
from ocr_baseline.analysis.findings.more_workers import MoreWorkers, more_workers
from ocr_baseline.analysis.findings.named_cause import cause_of
from ocr_baseline.analysis.findings.rule import (
    Silence,
    count_evidence,
    seconds_evidence,
    title,
    too_few_batches,
)
from ocr_baseline.analysis.findings.wait_advice import dealing, if_dealt_out
from ocr_baseline.analysis.measured import line_of
from ocr_baseline.analysis.replay.savings import worker_replay
from ocr_baseline.model.document import Evidence, Finding
from ocr_baseline.vocabulary import PHASE_WORDS, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.analysis.replay.other_loader import SavingRange
    from ocr_baseline.model.document import Phase, Workers


def too_few_workers(measured: Measured) -> Iterator[Finding | Silence]:
    """Find loaders whose replay with more workers saves much of the stage.

    At most as many workers are tried as there are cores, the number that PyTorch's `DataLoader`
    suggests as its maximum, and more of those that mostly wait, which need no core of their own;
    the finding is for the fewest that reach nearly the largest saving.
    """
    cores = measured.environment.cpu_count
    for phase in measured.whole_phases:
        line = line_of(phase, Line.DATA_WAIT.value)
        if line is None or (line.share or 0.0) < TOO_FEW_WORKERS["medium"]:
            continue
        if cores is None:
            yield Silence(TOO_FEW_WORKERS.id, "the number of cores was not recorded")
            return
        silence = too_few_batches(TOO_FEW_WORKERS, phase)
        if silence is not None:
            yield silence
            continue
        yield from _judged(measured, phase)


def _judged(measured: Measured, phase: Phase) -> Iterator[Finding]:
    found = more_workers(measured, phase)
    if found is None or not phase.total_s:
        return
    if found.saving_s / phase.total_s < TOO_FEW_WORKERS["medium"]:
        return
    finding = _finding(measured, phase, found)
    yield finding if found.estimate is None else _estimated(finding, found.estimate)


def _finding(measured: Measured, phase: Phase, found: MoreWorkers) -> Finding:
    saving_s = found.saving_s
    line = line_of(phase, Line.DATA_WAIT.value)
    return Finding(
        id=f"{TOO_FEW_WORKERS.id}:{phase.name}",
        severity=TOO_FEW_WORKERS.severity(saving_s / (phase.total_s or saving_s)),
        title=title(f"{PHASE_WORDS[phase.name]} has too few loader workers"),
        evidence=[
            count_evidence(f"workers.{phase.name}.count", found.count),
            count_evidence("environment.identity.cpu_count", measured.environment.cpu_count or 0),
            seconds_evidence(
                f"phases.{phase.name}.breakdown.{Line.DATA_WAIT.value}.total_s",
                0.0 if line is None else line.total_s,
            ),
            *_wanted_evidence(measured.workers_of(phase)),
        ],
        estimated_saving_s=saving_s,
        saving_basis=f"the loader replayed with {found.workers} instead of {found.count}, which "
        "share the cores with each other and the main thread"
        f"{_if_dealt_out(measured, phase, found)}",
        advice=f"Set the loader's {found.settings}, then compare: each worker takes memory."
        f"{_waiting_words(measured.workers_of(phase))}{dealing(measured, phase)}",
        lines=[f"{phase.name}.{Line.DATA_WAIT.value}"],
        cause=cause_of(measured, phase, Line.DATA_WAIT.value),
    )


def _estimated(found: Finding, saving: SavingRange) -> Finding:
    """Return a finding from no workers to some as what it is: an estimate with a range."""
    return found.model_copy(
        update={
            "estimated_saving_low_s": max(saving.low_s, 0.0),
            "estimated_saving_high_s": saving.high_s,
            "saving_basis": f"{found.saving_basis}; an estimate, because a run without workers "
            "can't measure what starting them and taking batches from them costs",
        }
    )


def _if_dealt_out(measured: Measured, phase: Phase, found: MoreWorkers) -> str:
    condition = if_dealt_out(measured, phase, found)
    return f"; this holds only{condition}" if condition else ""


def _waiting_words(workers: Workers | None) -> str:
    """Say that the workers need no core each, where they mostly wait."""
    wanted = None if workers is None else workers.wanted_cores
    if wanted is None or wanted > TOO_FEW_WORKERS["waiting"]:
        return ""
    return (
        f" Its workers wait {1 - wanted:.0%} of the time in which they make batches: there may be "
        "more of them than cores."
    )


def too_many_workers(measured: Measured) -> Iterator[Finding | Silence]:
    """Find stages whose workers want more cores than there are, or are mostly idle.

    PyTorch's `DataLoader` warns when there are more workers than cores that the process may use:
    they take turns, unless they wait for something else most of the time. Workers are mostly idle
    when they spend little of the stage making batches and the replay with half of them takes hardly
    longer: busy a quarter of the time, half the workers would still be idle half the time. That
    costs memory and startup, not time, so no saving is given.
    """
    cores = measured.environment.cpu_count
    for workers in measured.workers:
        phase = measured.phase(workers.phase)
        if phase is None or not phase.total_s:
            continue
        if cores is not None and workers.count > cores and _compute(workers, cores):
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


def _compute(workers: Workers, cores: int) -> bool:
    """Whether they want more cores than there are; where it wasn't measured, one each."""
    wanted = workers.wanted_cores
    return workers.count * (1.0 if wanted is None else wanted) > cores


def _wanted_evidence(workers: Workers | None) -> list[Evidence]:
    if workers is None or workers.wanted_cores is None:
        return []
    where = f"workers.{workers.phase}"
    return [Evidence(metric=f"{where}.wanted_cores", value=workers.wanted_cores, unit="cores")]


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
            *_wanted_evidence(workers),
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
