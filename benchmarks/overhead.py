"""What sits on an ordinary Lightning run costs how much: the loop for each batch, and a whole fit.

Each round trains every variant once, in a new order, in one process (`overhead_training.py` says
what an ordinary run is). A variant's figure is the median over rounds of its time minus that of the
run with nothing in the same round, with the 95% interval of that median. The loop is the time
between its first hook and its last, a fit is the whole call, from the start to the written report;
the clocks are the wall and the processor time of the training's own thread. The quiet batch is the
lowest tenth of the times between the beginnings of two steps, the mean of training and validation:
what else a machine does is hardly in it, and nor is what happens once a second.

    python benchmarks/overhead.py [--rounds 30] [--batches 300 3000] [--workers 0 2]
        [--only VARIANT …]
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.intervals import Median, median_of
from benchmarks.overhead_training import (
    NOTHING,
    OURS,
    TWO_EMPTY,
    VARIANTS,
    OrdinaryModule,
    loader,
    silence,
    trainer_with,
)
from benchmarks.tables import Goal, print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.overhead_training import MakeOptions

MICROSECONDS = 1e6
MILLISECONDS = 1e3
GOAL_OVER_TWO_EMPTY_US = 3.0
GOAL_FIT_MS = 100.0
GOAL_FIT_BATCHES = 300


@dataclass(frozen=True, kw_only=True)
class RunTime:
    """What one run took, in seconds."""

    loop_s: float
    loop_processor_s: float
    fit_s: float
    fit_processor_s: float
    quiet_batch_s: float


class TimedModule(OrdinaryModule):
    """Notes when each of its steps begins."""

    def __init__(self) -> None:
        """Begin with no steps."""
        super().__init__()
        self.began_s: dict[str, list[float]] = {"train": [], "validation": []}

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        """Note, and train."""
        self.began_s["train"].append(time.perf_counter())
        return super().training_step(batch, batch_idx)

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Note, and validate."""
        self.began_s["validation"].append(time.perf_counter())
        super().validation_step(batch, batch_idx)

    def quiet_batch_s(self) -> float:
        """Return the mean of the stages' lowest tenths."""
        return statistics.mean(
            statistics.quantiles([after - before for before, after in pairwise(began_s)], n=10)[0]
            for began_s in self.began_s.values()
        )


def time_run(make: MakeOptions, *, batches: int, workers: int, folder: Path) -> RunTime:
    """Train and validate once."""
    trainer = trainer_with(make(folder), folder)
    run = trainer.fit_loop.run
    loop_s: list[float] = []

    def timed_run() -> None:
        begin_s, begin_processor_s = time.perf_counter(), time.thread_time()
        run()
        loop_s.extend((time.perf_counter() - begin_s, time.thread_time() - begin_processor_s))

    trainer.fit_loop.run = timed_run  # type: ignore[method-assign]  # the stopwatch
    data = loader(batches, workers), loader(batches, workers)
    module = TimedModule()
    gc.collect()
    begin_s, begin_processor_s = time.perf_counter(), time.thread_time()
    trainer.fit(module, *data)
    return RunTime(
        fit_s=time.perf_counter() - begin_s,
        fit_processor_s=time.thread_time() - begin_processor_s,
        loop_s=loop_s[0],
        loop_processor_s=loop_s[1],
        quiet_batch_s=module.quiet_batch_s(),
    )


def measure(
    names: list[str], rounds: int, *, batches: int, workers: int
) -> dict[str, list[RunTime]]:
    """Return each variant's runs, one for each round."""
    runs: dict[str, list[RunTime]] = {name: [] for name in names}
    names = list(names)
    for number in range(rounds):
        random.shuffle(names)
        for name in names:
            with tempfile.TemporaryDirectory() as folder, silence():
                made = VARIANTS[name]
                runs[name].append(
                    time_run(made, batches=batches, workers=workers, folder=Path(folder))
                )
        print(f"\rround {number + 1} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return runs


def over(
    runs: Sequence[RunTime], others: Sequence[RunTime], clock: Callable[[RunTime], float]
) -> Median:
    """Return how much longer runs took than others of the same rounds."""
    return median_of([clock(one) - clock(other) for one, other in zip(runs, others, strict=True)])


def print_times(runs: dict[str, list[RunTime]], batches: int, workers: int) -> None:
    """Print a row for each variant."""
    each = MICROSECONDS / (2 * batches)
    clocks: list[tuple[Callable[[RunTime], float], int]] = [
        (lambda run: run.quiet_batch_s * MICROSECONDS, 1),
        (lambda run: run.loop_s * each, 1),
        (lambda run: run.loop_processor_s * each, 1),
        (lambda run: run.fit_s * MILLISECONDS, 0),
        (lambda run: run.fit_processor_s * MILLISECONDS, 0),
    ]
    base = runs[NOTHING]
    nothing = [f"{median_of([clock(run) for run in base]).value:.{d}f}" for clock, d in clocks]
    rows = [("nothing, its time", *nothing)]
    rows += [
        (name, *(over(runs[name], base, clock).text(digits) for clock, digits in clocks))
        for name in runs
        if name != NOTHING
    ]
    print(f"\n{workers} loader workers, {batches:,} training and as many validation batches")
    header = (
        "on the run",
        "quiet batch, µs",
        "loop, µs/batch",
        "processor",
        "fit, ms",
        "processor",
    )
    print_table(header, rows)


def goals(runs: dict[str, list[RunTime]], batches: int, workers: int) -> list[Goal]:
    """Return what the figures should be at most."""
    each = MICROSECONDS / (2 * batches)
    loop = over(runs[OURS], runs[TWO_EMPTY], lambda run: run.loop_processor_s * each)
    what = f"{batches:,} batches, {workers} workers"
    found = [Goal(f"loop over two empty callbacks, µs, {what}", loop.value, GOAL_OVER_TWO_EMPTY_US)]
    if batches == GOAL_FIT_BATCHES:
        fit = over(runs[OURS], runs[NOTHING], lambda run: run.fit_s * MILLISECONDS)
        found.append(Goal(f"fit over nothing, ms, {what}", fit.value, GOAL_FIT_MS))
    return found


def main() -> int:
    """Print the tables and whether the goals are met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--batches", type=int, nargs="+", default=[300, 3000])
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2])
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    arguments = parser.parse_args()
    names = list(dict.fromkeys([NOTHING, TWO_EMPTY, OURS, *arguments.only]))
    random.seed(0)
    found = []
    for workers in arguments.workers:
        for batches in arguments.batches:
            measure(names, 1, batches=50, workers=workers)  # imports and caches are none of a batch
            runs = measure(names, arguments.rounds, batches=batches, workers=workers)
            print_times(runs, batches, workers)
            found += goals(runs, batches, workers)
    return Goal.report(*found)


if __name__ == "__main__":
    sys.exit(main())
