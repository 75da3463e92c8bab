"""How many more loader workers would do the most for a stage, and what they would save."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import RESTARTED_WORKERS, TOO_FEW_WORKERS
from ocr_baseline.analysis.replay.other_loader import SavingRange, saving_with_first_workers
from ocr_baseline.analysis.replay.savings import main_thread_replay, processors, worker_replay
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.analysis.replay.loader_replay import LoaderReplay
    from ocr_baseline.model.document import Phase, Workers


@dataclass(frozen=True)
class MoreWorkers:
    """`more` workers instead of `count`, what that saves, and its range where it is an estimate.

    `are_kept` is whether the saving takes them to stay from one pass to the next, which is said of
    first workers only: a loader that has some says itself whether it keeps them.
    """

    count: int
    more: int
    saving_s: float
    estimate: SavingRange | None = None
    are_kept: bool = False

    @property
    def settings(self) -> str:
        """What to set to what, as `num_workers to 2 and persistent_workers to True`."""
        kept = " and persistent_workers to True" if self.are_kept else ""
        return f"num_workers to {self.more}{kept}"

    @property
    def workers(self) -> str:
        """Its workers in words, as `1 worker that stays from one pass to the next`."""
        words, stay = ("1 worker", "stays") if self.more == 1 else (f"{self.more} workers", "stay")
        return f"{words} that {stay} from one pass to the next" if self.are_kept else words


def more_workers(measured: Measured, phase: Phase) -> MoreWorkers | None:
    """Return the fewest workers that reach nearly the largest saving.

    None without a replay, and where the number of cores wasn't recorded.
    """
    if phase.name not in measured.more_workers:
        measured.more_workers[phase.name] = _more_workers(measured, phase)
    return measured.more_workers[phase.name]


def _more_workers(measured: Measured, phase: Phase) -> MoreWorkers | None:
    found, cores = _replay(measured, phase), measured.environment.cpu_count
    if found is None or cores is None:
        return None
    count, replay = found
    numbers = worker_counts(count, most_workers(measured.workers_of(phase), cores))
    if not numbers:
        return None
    if count:
        return _fewest(
            [MoreWorkers(count, more, replay.saving_with_workers_s(more)) for more in numbers]
        )
    return _fewest([_first_workers(measured, replay, more) for more in numbers])


def _first_workers(measured: Measured, replay: LoaderReplay, more: int) -> MoreWorkers:
    """Return what so many first workers save; kept ones where starting them anew costs much."""
    saving = saving_with_first_workers(replay, more)
    kept = saving_with_first_workers(replay, more, are_kept=True)
    if kept.usual_s - saving.usual_s >= RESTARTED_WORKERS["of_run"] * measured.total_s:
        return MoreWorkers(0, more, kept.usual_s, kept, are_kept=True)
    return MoreWorkers(0, more, saving.usual_s, saving)


def _fewest(choices: list[MoreWorkers]) -> MoreWorkers:
    enough_s = TOO_FEW_WORKERS["enough"] * max(one.saving_s for one in choices)
    enough = [one for one in choices if one.saving_s >= enough_s]
    return min(enough or choices, key=lambda one: one.more)


def _replay(measured: Measured, phase: Phase) -> tuple[int, LoaderReplay] | None:
    """Return how many workers made the batches, and the replay; 0 where it was the main thread.

    That the main thread made them is known of the training loader only, from the run's description.
    """
    stage = Stage(phase.name)
    if stage in measured.worker_times:
        replay = worker_replay(measured, phase)
        return None if replay is None else (measured.worker_times[stage].count, replay)
    if stage is Stage.TRAIN and measured.environment.num_workers == 0:
        replay = main_thread_replay(measured, measured.times[stage], processors(measured))
        return None if replay is None else (0, replay)
    return None


def most_workers(workers: Workers | None, cores: int) -> int:
    """Return how many workers the cores allow: more than one each where workers mostly wait."""
    wanted = None if workers is None else workers.wanted_cores
    if wanted is None:
        return cores
    at_most = int(TOO_FEW_WORKERS["a_core"] * cores)
    return at_most if wanted * at_most <= cores else max(int(cores / wanted), cores)


def worker_counts(count: int, most: int) -> list[int]:
    """Return numbers of workers to try: one more, then twice as many each time, up to the most."""
    candidates = []
    more = count + 1
    while more < most:
        candidates.append(more)
        more *= 2
    return [*candidates, most] if most > count else []
