"""Torch computes in more threads than there are cores: in the main process, or in its workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import THREAD_OVERSUBSCRIPTION
from ocr_baseline.analysis.findings.rule import (
    count_evidence,
    seconds_evidence,
    share_of,
    title,
    too_few_batches,
)
from ocr_baseline.analysis.replay.savings import processors
from ocr_baseline.model.document import Evidence, Finding
from ocr_baseline.vocabulary import PHASE_WORDS, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.findings.rule import Silence
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Phase, Workers

_COMPUTING = (Line.FORWARD.value, Line.BACKWARD.value, Line.OPTIMIZER.value)


def thread_oversubscription(measured: Measured) -> Iterator[Finding]:
    """Find loaders whose workers' threads and the main thread's want more cores than there are.

    The number of threads alone costs nothing: the workers must also have wanted more cores than
    there are, by what they computed and stood ready for a core.
    """
    shared = processors(measured)
    for phase in measured.whole_phases:
        workers = measured.workers_of(phase)
        if workers is None or not workers.torch_threads or workers.torch_threads == 1:
            continue
        threads = workers.torch_threads * workers.count + shared.main_threads
        wanted = (workers.wanted_cores or 0.0) * workers.count
        if threads > shared.cores and wanted > shared.cores:
            yield _finding(measured, phase, workers)


def main_thread_oversubscription(measured: Measured) -> Iterator[Finding | Silence]:
    """Find stages whose main process computes in more threads than there are cores.

    Threads that share a core wait for each other at the end of every operation. The number alone
    costs nothing: the main thread must also have stood ready for a core, or the container's limit
    have held the run.
    """
    cores, threads = measured.environment.cpu_count, measured.environment.torch_num_threads
    if cores is None or threads is None or threads <= cores:
        return
    for phase in measured.whole_phases:
        held_s = _held_s(measured, phase, cores)
        if held_s is None or share_of(phase, held_s) < THREAD_OVERSUBSCRIPTION["medium"]:
            continue
        silence = too_few_batches(THREAD_OVERSUBSCRIPTION, phase)
        yield silence or _of_main_process(measured, phase, held_s)


def _held_s(measured: Measured, phase: Phase, cores: int) -> float | None:
    """Return how long the main thread had no core for its own threads' sake, None if not known.

    While they keep it from a core they have all of them: for no longer than their processor time
    on so many cores. Beyond that, other processes had them.
    """
    limit_share = measured.environment.cpu_limit_held_share
    if phase.total_s is None or (phase.queued_s is None and limit_share is None):
        return None
    by_limit_s = (limit_share or 0.0) * phase.total_s
    by_threads_s = min(phase.queued_s or 0.0, (phase.cpu_s or 0.0) / cores)
    return min(max(by_threads_s, by_limit_s), phase.total_s)


def _of_main_process(measured: Measured, phase: Phase, held_s: float) -> Finding:
    environment = measured.environment
    cores, threads = environment.cpu_count or 0, environment.torch_num_threads or 0
    where = f"phases.{phase.name}"
    known_s = {"cpu_s": phase.cpu_s, "queued_s": phase.queued_s}
    return Finding(
        id=f"{THREAD_OVERSUBSCRIPTION.id}:{phase.name}:main",
        severity=THREAD_OVERSUBSCRIPTION.severity(share_of(phase, held_s)),
        title=title(f"{PHASE_WORDS[phase.name]} computes in more threads than there are cores: ")
        + f"{threads} on {cores}",
        evidence=[
            count_evidence("environment.identity.torch_num_threads", threads),
            count_evidence("environment.identity.cpu_count", cores),
            *(
                seconds_evidence(f"{where}.{name}", value)
                for name, value in known_s.items()
                if value is not None
            ),
            *_limit_evidence(measured),
        ],
        estimated_saving_s=held_s,
        estimated_saving_low_s=0.0,
        estimated_saving_high_s=min(
            THREAD_OVERSUBSCRIPTION["more"] * held_s, phase.total_s or held_s
        ),
        saving_basis="an estimate: as long as the main thread had no core because of its other "
        "threads, or the container's limit held the run; threads that wait for each other keep "
        "cores busy, so it may be more, and little where each does much at a time",
        advice=f"Let torch compute in at most {cores} threads: torch.set_num_threads({cores}), or "
        f"OMP_NUM_THREADS={cores} before the script starts.",
        lines=[f"{phase.name}.{line}" for line in _COMPUTING],
    )


def _queued_for_own_threads_s(measured: Measured, phase: Phase, workers: Workers) -> float:
    """Return how long the workers stood ready for cores that the run itself had, together.

    As in the main process: for no longer, each, than all its threads computed on all cores.
    """
    queued_s, cores = workers.queued_s or 0.0, measured.environment.cpu_count
    if cores is None or workers.cpu_s is None or phase.cpu_s is None:
        return queued_s
    return min(queued_s, workers.count * (workers.cpu_s + phase.cpu_s) / cores)


def _limit_evidence(measured: Measured) -> list[Evidence]:
    held_s = measured.environment.cpu_limit_held_s
    if not held_s:
        return []
    return [seconds_evidence("environment.volatile.cpu_limit_held_s", held_s)]


def _finding(measured: Measured, phase: Phase, workers: Workers) -> Finding:
    where = f"workers.{phase.name}"
    queued_s = workers.queued_s or 0.0
    own_s = _queued_for_own_threads_s(measured, phase, workers)
    held_s = workers.waited_s * min(own_s / workers.busy_s, 1.0)
    return Finding(
        id=f"{THREAD_OVERSUBSCRIPTION.id}:{phase.name}",
        severity=THREAD_OVERSUBSCRIPTION.severity(share_of(phase, held_s)),
        title=title(f"{PHASE_WORDS[phase.name]}'s loader workers compute in more threads than ")
        + f"there are cores: {workers.torch_threads} in each of {workers.count}",
        evidence=[
            count_evidence(f"{where}.torch_threads", workers.torch_threads or 0),
            count_evidence(f"{where}.count", workers.count),
            count_evidence("environment.identity.cpu_count", measured.environment.cpu_count or 0),
            Evidence(
                metric=f"{where}.wanted_cores", value=workers.wanted_cores or 0.0, unit="cores"
            ),
            seconds_evidence(f"{where}.queued_s", queued_s),
            *_limit_evidence(measured),
        ],
        estimated_saving_s=held_s,
        estimated_saving_low_s=0.0,
        estimated_saving_high_s=min(THREAD_OVERSUBSCRIPTION["more"] * held_s, workers.waited_s),
        saving_basis="an estimate: the part of the wait for workers in which they stood ready for "
        "a core that others' threads had; threads that wait for each other keep cores busy, so it "
        "may be more, and little where each does much at a time",
        advice="Let each worker compute in one thread, which is what PyTorch sets: leave out "
        "torch.set_num_threads in worker_init_fn and in the dataset, or call it with 1 "
        "(OMP_NUM_THREADS=1 for other libraries).",
        lines=[f"{phase.name}.{Line.DATA_WAIT.value}"],
    )
