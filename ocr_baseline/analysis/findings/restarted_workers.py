"""Loader workers that are started anew for each pass, where they could be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocr_baseline.analysis.findings.catalogue import RESTARTED_WORKERS
from ocr_baseline.analysis.findings.rule import count_evidence, seconds_evidence, share_of, title
from ocr_baseline.model.document import Finding
from ocr_baseline.vocabulary import PHASE_WORDS, Line, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.analysis.phases.stage_times import StageTimes
    from ocr_baseline.model.document import Phase, Workers


class Restarts(NamedTuple):
    """What the starts of workers in later passes took.

    `most_s` is the whole time of starting the loader in later passes, of ending its workers, and of
    waiting for the first batch, `least_s` the workers' own start-up in them, from being asked for
    to being ready. `saving_s` leaves out of the former what making a first batch takes with workers
    that are there.
    """

    least_s: float
    saving_s: float
    most_s: float


def restarted_workers(measured: Measured) -> Iterator[Finding]:
    """Find stages in which starting workers again and again is worth a headline."""
    for phase in measured.whole_phases:
        workers = measured.workers_of(phase)
        restarts = restarts_of(measured, phase)
        if workers is not None and restarts is not None:
            yield _finding(phase, workers, restarts)


def restarts_of(measured: Measured, phase: Phase) -> Restarts | None:
    """Return what starting the workers of later passes took, None where that is little or none."""
    workers, times = measured.workers_of(phase), measured.times.get(Stage(phase.name))
    if workers is None or times is None or times.table is None or workers.startup_mean_s is None:
        return None
    again = workers.processes / workers.count - 1
    if again <= 0:
        return None
    later_s = _startup_s(times)[1:]
    most_s = float(later_s.sum())
    making_s = workers.busy_s / workers.batches if workers.batches else 0.0
    least_s = min(again * workers.startup_mean_s, most_s)
    saving_s = max(float(np.maximum(later_s - making_s, 0.0).sum()), least_s)
    is_material = saving_s >= RESTARTED_WORKERS["of_run"] * measured.total_s > 0
    return Restarts(least_s, saving_s, most_s) if is_material else None


def _startup_s(times: StageTimes) -> NDArray[np.float64]:
    """Return what starting the loader took in each pass, within its first batch and before it.

    Processes that are spawned are made, and given the dataset, before the first batch is asked for.
    """
    line = Line.LOADER_STARTUP.value
    is_first = times.is_first_of_epoch
    taken_s = np.zeros(int(is_first.sum()))
    if times.table is not None and line in times.table.lines_s:
        taken_s += times.table.lines_s[line][is_first]
    tails_s = [epoch.tail_s.get(line, 0.0) for epoch in times.record.epochs if epoch.batches]
    taken_s[: len(tails_s)] += tails_s[: len(taken_s)]
    return taken_s


def _finding(phase: Phase, workers: Workers, restarts: Restarts) -> Finding:
    where = f"workers.{phase.name}"
    return Finding(
        id=f"{RESTARTED_WORKERS.id}:{phase.name}",
        severity=RESTARTED_WORKERS.severity(share_of(phase, restarts.saving_s)),
        title=title(f"{PHASE_WORDS[phase.name]} starts its loader workers anew for each pass"),
        evidence=[
            count_evidence(f"{where}.count", workers.count),
            count_evidence(f"{where}.processes", workers.processes),
            seconds_evidence(f"{where}.startup_mean_s", workers.startup_mean_s or 0.0),
            seconds_evidence(f"phases.{phase.name}.later_passes.loader_startup_s", restarts.most_s),
        ],
        estimated_saving_s=restarts.saving_s,
        estimated_saving_low_s=restarts.least_s,
        estimated_saving_high_s=restarts.most_s,
        saving_basis="workers started once instead of for each pass: the loader's start, up to the "
        "first batch, in later passes, less what a worker takes to make a batch",
        advice="Keep the workers from one pass to the next: persistent_workers=True.",
        lines=[f"{phase.name}.{Line.LOADER_STARTUP.value}"],
    )
