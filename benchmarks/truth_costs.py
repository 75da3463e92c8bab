"""Stopwatches, and data of known cost, for `truth.py`.

Loader workers import this module, spawned ones anew for each worker: it leaves Lightning out.
"""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import contextmanager, nullcontext
from multiprocessing.sharedctypes import RawArray
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

from ocr_baseline.measure.sections import section

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

MILLISECOND_S = 1e-3
NANOSECOND_S = 1e-9

OUTSIDE = "outside"
FETCH = "fetch"
LOAD = "load"
PAINT = "benchmarks.truth_costs.paint"
WORKER_LINES = (FETCH, LOAD, PAINT)
MOST_WORKERS = 4

READ_MS = 6.0
LOAD_MS = 2.0
COLLATE_MS = 3.0
PAINT_MS = 3.0


class Stopwatch:
    """Reads the clock before and after each block; a block's time leaves out those inside it.

    `lines_ns` is by stage and line, `stages_ns` by stage. The stage is the innermost loop of the
    trainer that is running, by the wrappers that `truth.py` puts around the loops.
    """

    def __init__(self) -> None:
        """Begin outside of every stage with no time."""
        self.clear()

    def clear(self) -> None:
        """Forget all times."""
        self.lines_ns: dict[tuple[str, str], int] = defaultdict(int)
        self.stages_ns: dict[str, int] = defaultdict(int)
        self._stages = [OUTSIDE]
        self._nested_lines_ns: list[int] = []
        self._nested_stages_ns: list[int] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a loop of the trainer."""
        self._stages.append(name)
        begin_ns = perf_counter_ns()
        self._nested_stages_ns.append(0)
        try:
            yield
        finally:
            took_ns = perf_counter_ns() - begin_ns
            self.stages_ns[name] += took_ns - self._nested_stages_ns.pop()
            if self._nested_stages_ns:
                self._nested_stages_ns[-1] += took_ns
            self._stages.pop()

    @contextmanager
    def line(self, name: str, shared: SharedTimes | None = None) -> Iterator[Callable[[str], None]]:
        """Time a block of a line; inside a worker, for the main process to read as well.

        What the block is given changes the name of its line.
        """
        begin_ns = perf_counter_ns()
        self._nested_lines_ns.append(0)

        def rename(other: str) -> None:
            nonlocal name
            name = other

        try:
            yield rename
        finally:
            took_ns = perf_counter_ns() - begin_ns
            own_ns = took_ns - self._nested_lines_ns.pop()
            if self._nested_lines_ns:
                self._nested_lines_ns[-1] += took_ns
            self.lines_ns[self._stages[-1], name] += own_ns
            if shared is not None:
                shared.add(name, own_ns)

    def lines_s(self, stage: str) -> dict[str, float]:
        """Return the seconds of each line of a stage."""
        return {
            line: took_ns * NANOSECOND_S
            for (of_stage, line), took_ns in self.lines_ns.items()
            if of_stage == stage
        }


STOPWATCH = Stopwatch()


class SharedTimes:
    """Nanoseconds by line of the workers of one loader, in memory that all processes share.

    Each worker adds to numbers of its own, so no lock is needed.
    """

    def __init__(self) -> None:
        """Begin with no time."""
        self._values = RawArray("q", MOST_WORKERS * len(WORKER_LINES))

    def add(self, line: str, took_ns: int) -> None:
        """Add to a line, where this process is a worker."""
        worker = get_worker_info()
        if worker is not None:
            self._values[worker.id * len(WORKER_LINES) + WORKER_LINES.index(line)] += took_ns

    def clear(self) -> None:
        """Forget all times; no worker may be at work."""
        self._values[:] = [0] * len(self._values)

    def lines_s(self) -> dict[str, float]:
        """Return the seconds of each line over all workers."""
        return {
            line: sum(self._values[position :: len(WORKER_LINES)]) * NANOSECOND_S
            for position, line in enumerate(WORKER_LINES)
        }


def sleep(milliseconds: float) -> None:
    """Take time without using the processor."""
    time.sleep(milliseconds * MILLISECOND_S)


def be_busy(milliseconds: float) -> None:
    """Take time and use the processor."""
    end_ns = perf_counter_ns() + int(milliseconds * 1e6)
    while perf_counter_ns() < end_ns:
        pass


def paint(shared: SharedTimes | None = None) -> None:
    """Be the operation that the profiler is told of by its dotted name."""
    with STOPWATCH.line(PAINT, shared):
        sleep(PAINT_MS)


def making(shared: SharedTimes) -> AbstractContextManager[object]:
    """Time the making of a batch as such, where a worker makes it.

    In the main process it is part of the wait for the batch, which the loader's stopwatch times.
    """
    return nullcontext() if get_worker_info() is None else STOPWATCH.line(FETCH, shared)


def make_item(index: int, shared: SharedTimes) -> torch.Tensor:
    """Return a sample; reading it is unnamed, loading it is a section."""
    with making(shared):
        sleep(READ_MS)
        with section(LOAD), STOPWATCH.line(LOAD, shared):
            be_busy(LOAD_MS)
        return torch.full((4,), float(index))


class CostlyItems(Dataset[torch.Tensor]):
    """Samples of known cost."""

    def __init__(self, count: int, shared: SharedTimes) -> None:
        """Make so many samples."""
        self.count = count
        self.shared = shared

    def __len__(self) -> int:
        """Return the number of samples."""
        return self.count

    def __getitem__(self, index: int) -> torch.Tensor:
        """Return a sample."""
        return make_item(index, self.shared)


class CostlyStream(IterableDataset[torch.Tensor]):
    """The same without a length, split over the workers."""

    def __init__(self, count: int, shared: SharedTimes) -> None:
        """Make so many samples."""
        self.count = count
        self.shared = shared

    def __iter__(self) -> Iterator[torch.Tensor]:
        """Yield this worker's samples."""
        worker = get_worker_info()
        first, step = (0, 1) if worker is None else (worker.id, worker.num_workers)
        for index in range(first, self.count, step):
            yield make_item(index, self.shared)


class CostlyCollate:
    """A collate function with an operation inside."""

    def __init__(self, shared: SharedTimes) -> None:
        """Note where the workers write their times."""
        self.shared = shared

    def __call__(self, items: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return a batch."""
        with making(self.shared):
            sleep(COLLATE_MS)
            paint(self.shared)
            return torch.stack(list(items))


class TimedLoader(DataLoader[Any]):
    """A loader with a stopwatch around its start, around each `next()` and around its end."""

    has_handed_over = False
    """Whether the trainer has had a batch of this pass: what it waits until then is the start."""

    def __iter__(self) -> Any:
        """Return the batches."""
        self.has_handed_over = False
        with STOPWATCH.line("loader_startup"):
            batches = super().__iter__()
        return _TimedBatches(self, batches)


class _TimedBatches:
    def __init__(self, loader: TimedLoader, batches: Any) -> None:
        self._loader = loader
        self._batches = batches

    def __iter__(self) -> _TimedBatches:
        return self

    def __next__(self) -> Any:
        line = "data_wait" if self._loader.has_handed_over else "loader_startup"
        with STOPWATCH.line(line) as rename:
            try:
                return next(self._batches)
            except StopIteration:
                rename("loader_startup")  # the workers end here
                raise

    def __del__(self) -> None:
        """Time the end of the workers, which comes with the end of the iterator."""
        with STOPWATCH.line("loader_startup"):
            del self._batches
