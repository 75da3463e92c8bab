"""The replay where there are fewer cores than things that run at once: each gets its share.

A loader worker wants a core for delivering batches and, for making them, the part of one that it
computed or stood ready for while it did (a whole one where that wasn't measured): the rest of the
time it waited, as for a disk or a network. The main thread wants as many as the threads that
compute in it. While more are wanted than there are, everything runs slower
in the same proportion, as under the operating system's fair scheduler. What was measured ran like
that, too: `undisturbed` first takes from each duration what sharing added to it, so that the
shared replay of the result takes as long as was measured.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.analysis.replay.loader_timeline import (
    LoaderPass,
    Simulated,
    timeline_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Processors:
    """How many cores there are, and how many the main thread's work and each worker want."""

    cores: float = math.inf
    main_threads: float = 1
    worker_cores: float = 1.0

    def suffice_for(self, workers: int) -> bool:
        """Whether nothing has to share, whatever runs at once."""
        return workers == 0 or self.main_threads + (1 + self.worker_cores) * workers <= self.cores


ONE_FOR_EVERYTHING = Processors()


def undisturbed(one: LoaderPass, processors: Processors) -> LoaderPass:
    """Return a measured pass with each duration as it would be with a core for everything."""
    if processors.suffice_for(len(one.ready_s)):
        return one
    times = timeline_of(one)
    threads = processors.main_threads
    spans = [
        (times.there_s - one.receive_s, times.there_s, threads),
        (times.there_s, times.there_s + one.main_s, threads),
        (times.begun_s, times.begun_s + one.fetch_s, processors.worker_cores),
        (times.sent_s, times.sent_s + one.deliver_s, 1),
    ]
    receive_s, main_s, fetch_s, deliver_s = _work_s(spans, processors)
    return replace(
        one,
        main_s=main_s,
        fetch_s=fetch_s,
        deliver_s=deliver_s,
        receive_s=receive_s,
        lines_s=_scaled(one.lines_s, one.fetch_s, fetch_s),
        main_lines_s=_scaled(one.main_lines_s, one.main_s, main_s),
    )


def _work_s(
    spans: Sequence[tuple[NDArray[np.float64], NDArray[np.float64], float]], processors: Processors
) -> list[NDArray[np.float64]]:
    """Return what was done in spans of time, each (begins, ends, cores wanted in each)."""
    moments_s = np.concatenate([edge for begin_s, end_s, _ in spans for edge in (begin_s, end_s)])
    changes = np.concatenate(
        [np.full(len(begin_s), sign * wanted) for begin_s, _, wanted in spans for sign in (1, -1)]
    )
    order = np.argsort(moments_s, kind="stable")
    moments_s = moments_s[order]
    wanted = np.maximum(np.cumsum(changes[order]), 1)
    done_s = np.diff(moments_s) * np.minimum(processors.cores / wanted[:-1], 1.0)
    by_then_s = np.concatenate([[0.0], np.cumsum(done_s)])
    return [
        np.interp(end_s, moments_s, by_then_s) - np.interp(begin_s, moments_s, by_then_s)
        for begin_s, end_s, _ in spans
    ]


def _scaled(
    lines_s: Mapping[str, NDArray[np.floating]],
    measured_s: NDArray[np.float64],
    work_s: NDArray[np.float64],
) -> dict[str, NDArray[np.float64]]:
    factor = np.divide(work_s, measured_s, out=np.ones_like(work_s), where=measured_s > 0)
    return {name: np.multiply(column, factor, dtype=np.float64) for name, column in lines_s.items()}


def simulate_shared(one: LoaderPass, processors: Processors) -> Simulated:
    """Return how long an undisturbed pass of workers takes on these processors."""
    return _SharedPass(one, processors).run()


class _SharedClock:
    """Runs things side by side; all at the same speed, which depends on how much they want.

    `progress_s` is the time that anything undisturbed would have got ahead since the beginning.
    """

    def __init__(self, cores: float, begin_s: float) -> None:
        self.now_s = begin_s
        self._cores = cores
        self._progress_s = 0.0
        self._wanted = 0.0
        self._order = count()
        self._running: list[tuple[float, int, float, Callable[[], None]]] = []
        self._awaited: list[tuple[float, int, Callable[[], None]]] = []

    def start(self, work_s: float, wanted: float, then: Callable[[], None]) -> None:
        """Begin something that wants so many cores."""
        self._wanted += wanted
        end_s = self._progress_s + work_s
        heapq.heappush(self._running, (end_s, next(self._order), wanted, then))

    def at(self, moment_s: float, then: Callable[[], None]) -> None:
        """Do something at a moment."""
        heapq.heappush(self._awaited, (moment_s, next(self._order), then))

    def step(self) -> None:
        """Go on to what ends or is awaited next, and do what then follows."""
        speed = self._cores / self._wanted if self._wanted > self._cores else 1.0
        ends_at_s = math.inf
        if self._running:
            ends_at_s = self.now_s + (self._running[0][0] - self._progress_s) / speed
        if self._awaited and self._awaited[0][0] <= ends_at_s:
            moment_s, _, then = heapq.heappop(self._awaited)
            self._progress_s += (moment_s - self.now_s) * speed
            self.now_s = moment_s
        else:
            self._progress_s, _, wanted, then = heapq.heappop(self._running)
            self.now_s = ends_at_s
            self._wanted -= wanted
        then()


class _SharedPass:
    """The rules of the loader on a shared clock.

    A worker's `next_made` and `next_delivered` are the batches that it makes and delivers next.
    """

    def __init__(self, one: LoaderPass, processors: Processors) -> None:
        self._main_s, self._fetch_s = one.main_s.tolist(), one.fetch_s.tolist()
        self._deliver_s, self._receive_s = one.deliver_s.tolist(), one.receive_s.tolist()
        self._batches, self._workers = len(one.main_s), len(one.ready_s)
        self._threads = processors.main_threads
        self._worker_cores = processors.worker_cores
        self._ahead = one.ahead(self._workers)
        self._clock = _SharedClock(processors.cores, min(0.0, float(one.ready_s.min())))
        self._next_made = list(range(self._workers))
        self._next_delivered = list(range(self._workers))
        self._is_making = [True] * self._workers  # until it is ready
        self._is_delivering = [False] * self._workers
        self._asked = self._handed_over = -1
        self._asked_at_s = self._wait_s = 0.0
        self._is_over = False
        for worker, ready_s in enumerate(one.ready_s.tolist()):
            self._clock.at(ready_s, partial(self._get_ready, worker))
        self._clock.at(0.0, self._ask)

    def run(self) -> Simulated:
        while not self._is_over:
            self._clock.step()
        return Simulated(self._clock.now_s, self._wait_s)

    def _get_ready(self, worker: int) -> None:
        self._is_making[worker] = False
        self._make(worker)

    def _make(self, worker: int) -> None:
        position = self._next_made[worker]
        is_asked_for = position - self._ahead <= self._handed_over
        if not self._is_making[worker] and position < self._batches and is_asked_for:
            self._is_making[worker] = True
            made = partial(self._end_making, worker)
            self._clock.start(self._fetch_s[position], self._worker_cores, made)

    def _end_making(self, worker: int) -> None:
        self._is_making[worker] = False
        self._next_made[worker] += self._workers
        self._make(worker)
        self._deliver(worker)

    def _deliver(self, worker: int) -> None:
        position = self._next_delivered[worker]
        if not self._is_delivering[worker] and position < self._next_made[worker]:
            self._is_delivering[worker] = True
            self._clock.start(self._deliver_s[position], 1, partial(self._end_delivery, worker))

    def _end_delivery(self, worker: int) -> None:
        position = self._next_delivered[worker]
        self._is_delivering[worker] = False
        self._next_delivered[worker] += self._workers
        self._deliver(worker)
        if self._asked == position:
            self._receive()

    def _ask(self) -> None:
        self._asked += 1
        self._asked_at_s = self._clock.now_s
        if self._asked == self._batches:
            self._is_over = True
        elif self._asked < self._next_delivered[self._asked % self._workers]:
            self._receive()

    def _receive(self) -> None:
        self._clock.start(self._receive_s[self._asked], self._threads, self._use)

    def _use(self) -> None:
        self._handed_over = self._asked
        self._wait_s += self._clock.now_s - self._asked_at_s
        self._make(self._asked % self._workers)
        self._clock.start(self._main_s[self._asked], self._threads, self._ask)
