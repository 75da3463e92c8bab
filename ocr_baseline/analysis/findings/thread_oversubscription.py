"""Torch computes in more threads, over all loader workers, than there are cores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import THREAD_OVERSUBSCRIPTION
from ocr_baseline.analysis.findings.rule import count_evidence, seconds_evidence, share_of, title
from ocr_baseline.analysis.replay.savings import processors
from ocr_baseline.model.document import Evidence, Finding
from ocr_baseline.vocabulary import PHASE_WORDS, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Phase, Workers


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


def _finding(measured: Measured, phase: Phase, workers: Workers) -> Finding:
    where = f"workers.{phase.name}"
    queued_s = workers.queued_s or 0.0
    at_most_s = workers.waited_s * min(queued_s / workers.busy_s, 1.0)
    return Finding(
        id=f"{THREAD_OVERSUBSCRIPTION.id}:{phase.name}",
        severity=THREAD_OVERSUBSCRIPTION.severity(share_of(phase, at_most_s)),
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
        ],
        estimated_saving_s=at_most_s,
        estimated_saving_low_s=0.0,
        estimated_saving_high_s=at_most_s,
        saving_basis="an estimate, and at most this: the part of the wait for workers in which "
        "they stood ready for a core that others had",
        advice="Let each worker compute in one thread, which is what PyTorch sets: leave out "
        "torch.set_num_threads in worker_init_fn and in the dataset, or call it with 1 "
        "(OMP_NUM_THREADS=1 for other libraries).",
        lines=[f"{phase.name}.{Line.DATA_WAIT.value}"],
    )
