"""What sits on an ordinary Lightning run, counted: function calls of each batch, and what stays.

Times of some microseconds drown in what else a machine does; counts are exact. A batch's calls are
those of Python and C functions in the training's thread between the beginnings of two steps, as
`sys.setprofile` tells them; the median over the batches, so that what happens now and then (a log
row at every fiftieth step, a garbage collection) stays out. A separate run without that counts
objects that survive the loop, full garbage collections, thread switches, and bytes written.

    python benchmarks/overhead_counts.py [--batches 60] [--workers 0 2] [--by-function NAME]
"""

from __future__ import annotations

import argparse
import gc
import resource
import statistics
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.overhead_training import (
    NOTHING,
    OURS,
    OURS_UNSAMPLED,
    TWO_EMPTY,
    VARIANTS,
    OrdinaryModule,
    loader,
    silence,
    trainer_with,
)
from benchmarks.tables import Goal, print_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

    from benchmarks.overhead_training import MakeOptions

WARM_UP_BATCHES = 5
LONG_RUN = 1200
"""Batches of a run whose leftovers are counted: more than wait for the disk at any time."""

GOAL_OVER_NOTHING = 0


class CallCounter:
    """Counts the calls of the thread that begins to count, and marks where each step begins."""

    def __init__(self) -> None:
        """Begin with no calls."""
        self.calls = 0
        self.marks: dict[str, list[int]] = {"train": [], "validation": []}
        self.functions: Counter[str] = Counter()

    def begin(self) -> None:
        """Count from now on."""
        sys.setprofile(self._note)

    def end(self) -> None:
        """Count no more."""
        sys.setprofile(None)

    def mark(self, stage: str) -> None:
        """A step of a stage begins."""
        self.marks[stage].append(self.calls)

    def calls_of_a_batch(self, stage: str) -> float:
        """Return the median over the batches of a stage."""
        marks = self.marks[stage][WARM_UP_BATCHES:]
        return statistics.median(after - before for before, after in pairwise(marks))

    def _note(self, frame: FrameType, event: str, argument: Any) -> None:
        if event in {"call", "c_call"}:
            self.calls += 1


class CallsByFunction(CallCounter):
    """Counts by function as well, in a small part of the run: which are they?"""

    def _note(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            code = frame.f_code
            self.functions[f"{_short(code.co_filename)} {code.co_name}"] += 1
        elif event == "c_call":
            code = frame.f_code
            called = getattr(argument, "__qualname__", argument)
            self.functions[f"{_short(code.co_filename)} {code.co_name} -> {called}"] += 1
        super()._note(frame, event, argument)


def _short(path: str) -> str:
    return "/".join(Path(path).parts[-3:])


class CountedModule(OrdinaryModule):
    """Marks the beginning of each of its steps."""

    def __init__(self, counter: CallCounter) -> None:
        """Count by `counter`."""
        super().__init__()
        self.mark = counter.mark

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        """Mark, and train."""
        self.mark("train")
        return super().training_step(batch, batch_idx)

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Mark, and validate."""
        self.mark("validation")
        super().validation_step(batch, batch_idx)


def count_calls(
    make: MakeOptions, *, batches: int, workers: int = 0, counter: CallCounter | None = None
) -> CallCounter:
    """Train and validate so many batches; return what was counted in the loop."""
    counter = counter or CallCounter()
    with tempfile.TemporaryDirectory() as name, silence():
        folder = Path(name)
        trainer = trainer_with(make(folder), folder)
        run = trainer.fit_loop.run

        def counted_run() -> None:
            counter.begin()
            try:
                run()
            finally:
                counter.end()

        trainer.fit_loop.run = counted_run  # type: ignore[method-assign]  # what is counted
        trainer.fit(CountedModule(counter), loader(batches, workers), loader(batches, workers))
    return counter


@dataclass(frozen=True, kw_only=True)
class Leftovers:
    """What a run's loop left behind, and what it did beside computing."""

    objects: int
    full_collections: int
    thread_switches: int
    written_bytes: int

    @classmethod
    def now(cls) -> Leftovers:
        """Return the counters of this process, and of this thread, as they are."""
        usage = resource.getrusage(resource.RUSAGE_THREAD)
        io = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
        return cls(
            objects=sys.getallocatedblocks(),
            full_collections=gc.get_stats()[2]["collections"],
            thread_switches=usage.ru_nvcsw + usage.ru_nivcsw,
            written_bytes=int(io["wchar"]),
        )

    def since(self, before: Leftovers) -> Leftovers:
        """Return what came to it."""
        return Leftovers(
            objects=self.objects - before.objects,
            full_collections=self.full_collections - before.full_collections,
            thread_switches=self.thread_switches - before.thread_switches,
            written_bytes=self.written_bytes - before.written_bytes,
        )


def count_leftovers(make: MakeOptions, *, batches: int, workers: int) -> Leftovers:
    """Train and validate so many batches; return what the loop left, garbage not counted."""
    taken: list[Leftovers] = []
    with tempfile.TemporaryDirectory() as name, silence():
        folder = Path(name)
        trainer = trainer_with(make(folder), folder)
        run = trainer.fit_loop.run

        def counted_run() -> None:
            gc.collect()
            before = Leftovers.now()
            run()
            full_collections = gc.get_stats()[2]["collections"]
            gc.collect()
            after = replace(Leftovers.now(), full_collections=full_collections)
            taken.append(after.since(before))

        trainer.fit_loop.run = counted_run  # type: ignore[method-assign]  # what is counted
        trainer.fit(OrdinaryModule(), loader(batches, workers), loader(batches, workers))
    return taken[0]


def calls_of_variants(batches: int, workers: int) -> dict[str, dict[str, float]]:
    """Return the calls of a training and of a validation batch, by name of the variant.

    Without sampling: its ticks come by the clock, and a counted batch takes many times as long.
    """
    counted = {}
    for name, make in VARIANTS.items():
        if name == OURS:
            continue
        counter = count_calls(make, batches=batches, workers=workers)
        counted[name] = {stage: counter.calls_of_a_batch(stage) for stage in counter.marks}
    return counted


def print_calls(workers: int, counted: Mapping[str, Mapping[str, float]]) -> None:
    """Print a row for each variant, the run with nothing first."""
    base = sum(counted[NOTHING].values())
    rows = [
        (
            name,
            f"{calls['train']:.0f}",
            f"{calls['validation']:.0f}",
            f"{sum(calls.values()) - base:+.0f}",
        )
        for name, calls in counted.items()
    ]
    print(f"\n{workers} loader workers: function calls")
    header = ("on the run", "a training batch", "a validation batch", "both, over nothing")
    print_table(header, rows)


def print_leftovers(batches: int, workers: int) -> None:
    """Print what a longer run of each variant leaves behind."""
    rows = []
    for name, make in VARIANTS.items():
        left = count_leftovers(make, batches=batches, workers=workers)
        rows.append(
            (
                name,
                f"{left.objects:,}",
                f"{left.full_collections}",
                f"{left.thread_switches:,}",
                f"{left.written_bytes / 1000:,.0f}",
            )
        )
    print(f"\n{workers} loader workers: a loop of {batches:,} training and validation batches")
    header = ("on the run", "objects left", "full collections", "thread switches", "kB written")
    print_table(header, rows)


def print_by_function(name: str, batches: int) -> None:
    """Print which functions a variant calls more often, or less, than the run with nothing."""
    ours = calls_by_function(VARIANTS[name], batches)
    ours.subtract(calls_by_function(VARIANTS[NOTHING], batches))
    rows = [
        (function, f"{calls / batches:+.1f}")
        for function, calls in ours.most_common()
        if abs(calls) >= batches / 2
    ]
    print_table((f"called by {name}", "in a training and a validation batch"), rows)


def calls_by_function(make: MakeOptions, batches: int) -> Counter[str]:
    """Return the calls of so many batches: what a run has more than one of half the length."""
    twice = count_calls(make, batches=2 * batches, counter=CallsByFunction()).functions
    twice.subtract(count_calls(make, batches=batches, counter=CallsByFunction()).functions)
    return twice


def main() -> int:
    """Print the tables and whether the goals are met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--batches", type=int, default=60)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2])
    parser.add_argument(
        "--by-function", choices=VARIANTS, help="list a variant's functions instead"
    )
    arguments = parser.parse_args()
    for make in VARIANTS.values():  # what is imported and cached at a first run is none of a batch
        count_calls(make, batches=WARM_UP_BATCHES + 2)
    if arguments.by_function:
        print_by_function(arguments.by_function, arguments.batches)
        return 0
    goals = []
    for workers in arguments.workers:
        counted = calls_of_variants(arguments.batches, workers)
        print_calls(workers, counted)
        print_leftovers(LONG_RUN, workers)
        totals = {name: sum(calls.values()) for name, calls in counted.items()}
        more = totals[OURS_UNSAMPLED] - totals[NOTHING]
        over = totals[OURS_UNSAMPLED] - totals[TWO_EMPTY]
        goals += [
            Goal(f"calls of two batches over nothing, {workers} workers", more, GOAL_OVER_NOTHING),
            Goal(f"calls of two batches over two empty callbacks, {workers} workers", over, 0),
        ]
    return Goal.report(*goals)


if __name__ == "__main__":
    sys.exit(main())
