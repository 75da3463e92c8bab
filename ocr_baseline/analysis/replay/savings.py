"""What a change would save, by replaying the phase's loader: the questions that rules ask."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ocr_baseline.analysis.replay.loader_passes import replay_of_main_thread, replay_of_workers
from ocr_baseline.analysis.replay.shared_processors import ONE_FOR_EVERYTHING, Processors
from ocr_baseline.analysis.sampler import share_in_sampler
from ocr_baseline.analysis.workers import WAIT_LINES
from ocr_baseline.vocabulary import PHASES, Line, Stage

if TYPE_CHECKING:
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.analysis.phases.stage_times import StageTimes
    from ocr_baseline.analysis.replay.loader_replay import LoaderReplay
    from ocr_baseline.model.document import Phase


def worker_replay(measured: Measured, phase: Phase) -> LoaderReplay | None:
    """Return the replay of the phase's workers, None where none can be made."""
    if phase.name not in measured.replays:
        measured.replays[phase.name] = _replay(measured, phase)
    return measured.replays[phase.name]


def _replay(measured: Measured, phase: Phase) -> LoaderReplay | None:
    stage = Stage(phase.name)
    times, workers = measured.times.get(stage), measured.worker_times.get(stage)
    if times is None or workers is None:
        return None
    others = [other for name, other in measured.times.items() if name is not stage]
    shared = processors(measured)
    section = measured.workers_of(phase)
    if section is not None and section.wanted_cores is not None:
        shared = replace(shared, worker_cores=section.wanted_cores)
    in_sampler = share_in_sampler(measured, phase.name, Line.DATA_WAIT)
    return replay_of_workers(times, workers.records, others, shared, in_sampler)


def main_thread_replay(
    measured: Measured, times: StageTimes, shared: Processors
) -> LoaderReplay | None:
    """Return the replay of a stage whose main thread made its batches, None of no batches."""
    in_sampler = {
        line: share_in_sampler(measured, PHASES[times.stage], Line(line)) for line in WAIT_LINES
    }
    return replay_of_main_thread(times, shared, in_sampler)


def processors(measured: Measured) -> Processors:
    """Return what main thread and workers share; no limit where the cores were not recorded.

    A model on the CPU computes in as many threads as torch was set to, by default one for each
    core; with an accelerator the main thread only feeds it.
    """
    environment = measured.environment
    if environment.cpu_count is None:
        return ONE_FOR_EVERYTHING
    if environment.accelerator != "cpu":
        return Processors(cores=environment.cpu_count)
    threads = environment.torch_num_threads or environment.cpu_count
    return Processors(cores=environment.cpu_count, main_threads=threads)


def main_thread_saving(
    measured: Measured, phase: Phase, line: str, took_s: float, what: str, removed: float = 1.0
) -> tuple[float, str]:
    """Return what removing a line of the main thread saves in seconds, and the basis of that.

    It saves what it took, less what the replay of the phase's loader waits longer: while the line
    ran, workers got ahead.

    Args:
        measured: The run.
        phase: The phase.
        line: The line, as the batches have it.
        took_s: The time over the phase of what is removed.
        what: What is removed, as in "removing it".
        removed: Which part of the line that is.
    """
    basis = f"{what}: it ran in the main thread, so the stage gets shorter by the time it took"
    if measured.environment.accelerator not in {None, "cpu"}:
        basis += ", except for time spent waiting there for work queued on the accelerator"
    replay = worker_replay(measured, phase)
    if replay is None:
        return took_s, basis
    added_wait_s = replay.added_wait_without_main_s(line, removed)
    if added_wait_s > 0:
        basis += ", minus the longer wait for the loader's workers that would follow (replayed)"
    return max(took_s - added_wait_s, 0.0), basis
