"""Fewer threads of the main process, where they take turns with loader workers on the cores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.prove.candidates import TRIED_PHASES, Candidate, name_of
from ocr_baseline.unchanged_script.settings import Settings, TrainerSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Finding

QUEUED = 0.10
"""The part of their making of batches in which workers stood ready for a core that others had, from
which it is worth a trial (this project's choice). How much faster a model computes in more threads
wasn't measured, so nothing predicts what it saves."""


def thread_candidates(measured: Measured, findings: Iterable[Finding]) -> Iterator[Candidate]:
    """Yield one thread for each core that the workers leave, where the model computes on the CPU.

    None on a machine that had other work, for which the workers may have stood ready.
    """
    environment = measured.environment
    threads, cores = environment.torch_num_threads, environment.cpu_count
    if environment.accelerator != "cpu" or threads is None or cores is None:
        return
    if any(finding.limits_trust for finding in findings):
        return
    for workers in measured.workers:
        left = max(cores - workers.count, 1)
        if workers.phase not in TRIED_PHASES or not workers.busy_s or left >= threads:
            continue
        if (workers.queued_s or 0.0) / workers.busy_s >= QUEUED:
            settings = Settings(trainer=TrainerSettings(torch_threads=left))
            yield Candidate(
                name=name_of(settings),
                settings=settings,
                phase=workers.phase,
                why="workers that stood ready for a core",
                predicted=None,
            )
