"""Set-ups of a stage's loader that its replay speaks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.more_workers import most_workers, worker_counts
from ocr_baseline.analysis.findings.saving_range import REPEATS
from ocr_baseline.analysis.measured import line_of
from ocr_baseline.analysis.replay.first_workers import DEAREST, FREE, USUAL, Handover
from ocr_baseline.analysis.replay.other_loader import OtherLoader, replayed_with
from ocr_baseline.analysis.replay.savings import main_thread_replay, processors, worker_replay
from ocr_baseline.analysis.workers import batch_wait_s
from ocr_baseline.prove.candidates import MOST_OF_LOADER, Candidate, Saving, name_of
from ocr_baseline.unchanged_script.settings import LoaderSettings, Settings
from ocr_baseline.vocabulary import Line, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.analysis.phases.stage_times import StageTimes
    from ocr_baseline.analysis.replay.loader_replay import LoaderReplay
    from ocr_baseline.analysis.replay.shared_processors import Processors
    from ocr_baseline.model.document import Phase

SHARE_OF_STAGE = 0.02
"""A loader that takes less of its stage isn't worth a trial (what is worth a headline)."""
FARTHER = 4
"""So many times as far ahead is what is tried where batches vary."""
WORTH_PREFETCHING = 0.02
DEAR_HANDOVER = 0.05
"""Where the main thread receives batches for so much of its stage, none may be worth a worker."""


@dataclass(frozen=True, kw_only=True)
class UsedLoader:
    """The loader that a stage had, and its replay.

    `restarts_s` is what starting and ending workers took in later passes outside of their batches,
    which the replay doesn't have.
    """

    workers: int
    are_kept: bool
    passes: int
    prefetch_factor: int
    restarts_s: float
    replay: LoaderReplay


@dataclass(frozen=True)
class _Predicted:
    loader: OtherLoader
    saving: Saving


def used_loader(measured: Measured, phase: Phase) -> UsedLoader | None:
    """Return the loader of a phase, None where its batches weren't recorded.

    Where no worker was recorded the main thread made the batches.
    """
    stage = Stage(phase.name)
    times, workers = measured.times.get(stage), measured.workers_of(phase)
    if times is None or times.table is None:
        return None
    replay = worker_replay(measured, phase)
    if workers is None:
        replay = main_thread_replay(measured, times, _processors_of(measured, times))
    if replay is None:
        return None
    passes = len(list(times.passes()))
    return UsedLoader(
        workers=0 if workers is None else workers.count,
        are_kept=workers is not None and workers.processes <= workers.count and passes > 1,
        passes=passes,
        prefetch_factor=replay.passes[0].prefetch_factor,
        restarts_s=sum(
            epoch.tail_s.get(Line.LOADER_STARTUP.value, 0.0) for epoch in times.record.epochs[1:]
        ),
        replay=replay,
    )


def _processors_of(measured: Measured, times: StageTimes) -> Processors:
    """Return what workers would share with a main thread that made its batches itself.

    Its own work wants as many cores as it took processor time per second, taking the batches to
    have been made on one core, and no more than torch's threads. Where batches wait instead, as for
    a disk, its work wants more than this says and workers less, by the same time.
    """
    shared = processors(measured)
    cpu_s = [epoch.cpu_s for epoch in times.record.epochs]
    known_s = [one for one in cpu_s if one is not None]
    if times.table is None or len(known_s) < len(cpu_s):
        return shared
    wait_s = float(batch_wait_s(times.table).sum())
    work_s = float(times.durations_s.sum()) - wait_s
    if work_s <= 0:
        return shared
    wanted = max(sum(known_s) - wait_s, 0.0) / work_s
    return replace(shared, main_threads=min(shared.main_threads, wanted))


def loader_candidates(measured: Measured, phase: Phase) -> Iterator[Candidate]:
    """Yield the most promising set-ups of a phase's loader, one for each number of workers."""
    used, cores = used_loader(measured, phase), measured.environment.cpu_count
    if used is None or cores is None or _waits_share(phase) < SHARE_OF_STAGE:
        return
    counts = [used.workers, *worker_counts(used.workers, _most(measured, phase, used, cores))]
    if used.workers:
        counts = sorted({0, used.workers // 2, *counts})
    found = [one for count in counts if (one := _best(used, phase, count)) is not None]
    saving = sorted(
        (one for one in found if one.saving.value_s > 0), key=lambda one: -one.saving.value_s
    )[:MOST_OF_LOADER]
    for predicted in saving:
        settings = _settings(phase.name, used, predicted.loader)
        if settings.given():
            yield Candidate(
                name=name_of(settings),
                settings=settings,
                phase=phase.name,
                why="replay of the loader",
                predicted=predicted.saving,
            )
    if all(one.loader.workers for one in saving):
        yield from _without_handover(used, phase)


def _without_handover(used: UsedLoader, phase: Phase) -> Iterator[Candidate]:
    """Yield no workers where batches are dear to hand over.

    The replay makes a batch take as long in the main thread as in its worker, which has to copy it
    into shared memory besides: what that costs is in no record, so nothing is predicted.
    """
    received_s = sum(
        (1 - one.sampler_share) * float(one.receive_s.sum()) for one in used.replay.passes
    )
    if used.workers and received_s >= DEAR_HANDOVER * (phase.total_s or 0.0):
        settings = Settings.of_loader(phase.name, LoaderSettings(num_workers=0))
        yield Candidate(
            name=name_of(settings),
            settings=settings,
            phase=phase.name,
            why="batches are dear to hand over",
            predicted=None,
        )


def _waits_share(phase: Phase) -> float:
    lines = (line_of(phase, name.value) for name in (Line.DATA_WAIT, Line.LOADER_STARTUP))
    return sum(line.share or 0.0 for line in lines if line is not None)


def _most(measured: Measured, phase: Phase, used: UsedLoader, cores: int) -> int:
    return most_workers(measured.workers_of(phase), cores) if used.workers else cores


def _best(used: UsedLoader, phase: Phase, workers: int) -> _Predicted | None:
    """Return the best set-up with so many workers; None where it is what there was."""
    stays = [used.are_kept] if used.are_kept or used.passes < 2 else [False, True]
    found = []
    for are_kept in stays if workers else [False]:
        near = _predicted(used, phase, workers, are_kept, None)
        far = _predicted(used, phase, workers, are_kept, FARTHER * used.prefetch_factor)
        gain_s = far.saving.value_s - near.saving.value_s
        is_far_better = workers and gain_s >= WORTH_PREFETCHING * (phase.total_s or 0.0)
        found.append(far if is_far_better else near)
    best = max(found, key=lambda one: one.saving.value_s)
    return best if _settings(phase.name, used, best.loader).given() else None


def _predicted(
    used: UsedLoader, phase: Phase, workers: int, are_kept: bool, prefetch_factor: int | None
) -> _Predicted:
    def with_handover(handover: Handover) -> OtherLoader:
        return OtherLoader(
            workers=workers,
            are_kept=are_kept,
            prefetch_factor=prefetch_factor,
            handover=handover,
        )

    has_no_restarts = workers == 0 or (are_kept and not used.are_kept)
    ended_s = used.restarts_s if has_no_restarts else 0.0

    def saving_s(handover: Handover) -> float:
        with_it_s = replayed_with(used.replay, with_handover(handover)).total_s
        return used.replay.as_measured.total_s - with_it_s + ended_s

    value_s = saving_s(USUAL)
    noise_s = REPEATS * max((phase.total_s or 0.0) - value_s, 0.0)
    is_first = used.workers == 0
    low_s = (saving_s(DEAREST) if is_first else value_s) - noise_s
    high_s = (saving_s(FREE) if is_first else value_s) + noise_s
    return _Predicted(with_handover(USUAL), Saving(value_s, low_s, high_s))


def _settings(phase: str, used: UsedLoader, loader: OtherLoader) -> Settings:
    """Return what differs from the loader that there was."""
    of_loader = LoaderSettings(
        num_workers=loader.workers if loader.workers != used.workers else None,
        persistent_workers=True if loader.are_kept and not used.are_kept else None,
        prefetch_factor=loader.prefetch_factor,
    )
    return Settings.of_loader(phase, of_loader)
