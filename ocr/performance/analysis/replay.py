"""Savings by replay: the measured timeline of a loader and its workers, run again with a change.

PyTorch's `DataLoader` gives the batches to its workers in turn, keeps `PREFETCH_FACTOR` batches a
worker asked for ahead of the one that it hands over, and hands them over in order
(`_MultiProcessingDataLoaderIter` in torch/utils/data/dataloader.py). A made batch is delivered
beside the making of the next one. With what each batch took to make, to deliver and to receive, and
what the main thread did between two batches, that is enough to compute every wait: as it was,
without an operation, or with another number of workers. A saving is the measured wait times the
part of the simulated wait that goes away. Work of the main thread that goes away gives the workers
less time to get ahead, so that some or all of it may turn into waiting. That removing work also
leaves more of a shared processor to the rest is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

PREFETCH_FACTOR = 2
"""PyTorch's default; the records do not hold another one."""


@dataclass(frozen=True, kw_only=True)
class LoaderPass:
    """One pass over one loader.

    `main_s` is what the main thread did after it got each batch, until it asked for the next,
    `fetch_s` what each batch took to make, `lines_s` the parts of that by line, `deliver_s` what
    its worker took to deliver it beside the making of others, `receive_s` how long the main
    thread still waited for a batch that was delivered: all of shape (batches,).
    `ready_s` has shape (workers,): when each worker began its first batch, counted from the moment
    at which the main thread asked for its first; empty where it makes its own. `main_lines_s` has
    the parts of each batch's time in the main thread by line, shape (batches,) each.
    """

    main_s: NDArray[np.float64]
    fetch_s: NDArray[np.float64]
    deliver_s: NDArray[np.float64]
    receive_s: NDArray[np.float64]
    lines_s: Mapping[str, NDArray[np.float64]]
    ready_s: NDArray[np.float64]
    main_lines_s: Mapping[str, NDArray[np.floating]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LoaderReplay:
    """The passes of a stage that are replayed: all, or as many as bound the cost.

    `wait_s` is the wait measured over the whole stage, `batches` the number of its batches.
    """

    wait_s: float
    batches: int
    passes: Sequence[LoaderPass]

    def simulated_wait_s(
        self, *, without: str | None = None, removed: float = 1.0, workers: int | None = None
    ) -> float:
        """Return the simulated wait of the whole stage.

        Args:
            without: A line of the workers of which a part is taken out of every batch.
            removed: Which part of it: 1 removes the line, 0.5 halves it.
            workers: How many workers make the batches; as many as were measured when None.
        """
        waited_s = 0.0
        replayed = 0
        for one in self.passes:
            fetch_s = one.fetch_s
            if without is not None and without in one.lines_s:
                fetch_s = np.maximum(fetch_s - removed * one.lines_s[without], 0.0)
            waited_s += simulate_wait_s(
                main_s=one.main_s,
                fetch_s=fetch_s,
                deliver_s=one.deliver_s,
                receive_s=one.receive_s,
                ready_s=_ready_s(one.ready_s, workers),
            )
            replayed += len(one.fetch_s)
        return waited_s * self.batches / replayed if replayed else 0.0

    def saving_without_s(self, line: str, removed: float = 1.0) -> float:
        """Return how much less the main thread would wait without a line of the workers."""
        return self._saving_s(self.simulated_wait_s(without=line, removed=removed))

    def saving_with_workers_s(self, workers: int) -> float:
        """Return how much less the main thread would wait if that many workers had a core each."""
        return self._saving_s(self.simulated_wait_s(workers=workers))

    def added_wait_without_main_s(self, line: str, removed: float = 1.0) -> float:
        """Return how much longer the main thread would wait without a line of its own work.

        Args:
            line: A line of the main thread, of which a part is taken out of every batch.
            removed: Which part of it, as in `simulated_wait_s`.
        """
        added_s = 0.0
        replayed = 0
        for one in self.passes:
            replayed += len(one.fetch_s)
            if line in one.main_lines_s:
                shorter_s = np.maximum(one.main_s - removed * one.main_lines_s[line], 0.0)
                added_s += _pass_wait_s(one, main_s=shorter_s) - _pass_wait_s(one)
        return max(added_s, 0.0) * self.batches / replayed if replayed else 0.0

    def _saving_s(self, simulated_s: float) -> float:
        as_measured_s = self.simulated_wait_s()
        if as_measured_s <= 0:
            return 0.0
        part = 1.0 - simulated_s / as_measured_s
        return self.wait_s * min(max(part, 0.0), 1.0)


def simulate_wait_s(
    *,
    main_s: NDArray[np.float64],
    fetch_s: NDArray[np.float64],
    deliver_s: NDArray[np.float64],
    receive_s: NDArray[np.float64],
    ready_s: NDArray[np.float64],
) -> float:
    """Return how long the main thread waits for all batches of a pass.

    Args:
        main_s: Its work after each batch, shape (batches,).
        fetch_s: The making of each batch, shape (batches,).
        deliver_s: From a batch's being made to its being delivered, when its worker has no other
            to deliver, shape (batches,).
        receive_s: From its being delivered and asked for to its being there, shape (batches,).
        ready_s: When each worker can begin, 0 being the first request, shape (workers,); of no
            workers, the main thread makes each batch as it asks for it.
    """
    workers = len(ready_s)
    if workers == 0:
        return float(fetch_s.sum() + deliver_s.sum() + receive_s.sum())
    free_s: list[float] = ready_s.tolist()
    delivered_s = [-np.inf] * workers
    handed_over_s: list[float] = []
    ahead = workers * PREFETCH_FACTOR
    now_s = waited_s = 0.0
    columns = (column.tolist() for column in (main_s, fetch_s, deliver_s, receive_s))
    for position, (work_s, making_s, delivering_s, receiving_s) in enumerate(
        zip(*columns, strict=True)
    ):
        worker = position % workers
        begin_s = free_s[worker]
        if position >= ahead:
            begin_s = max(begin_s, handed_over_s[position - ahead])
        done_s = free_s[worker] = begin_s + making_s
        delivered_s[worker] = max(done_s, delivered_s[worker]) + delivering_s
        waits_s = max(delivered_s[worker] - now_s, 0.0) + receiving_s
        waited_s += waits_s
        now_s += waits_s
        handed_over_s.append(now_s)
        now_s += work_s
    return waited_s


def _pass_wait_s(one: LoaderPass, *, main_s: NDArray[np.float64] | None = None) -> float:
    return simulate_wait_s(
        main_s=one.main_s if main_s is None else main_s,
        fetch_s=one.fetch_s,
        deliver_s=one.deliver_s,
        receive_s=one.receive_s,
        ready_s=one.ready_s,
    )


def _ready_s(ready_s: NDArray[np.float64], workers: int | None) -> NDArray[np.float64]:
    """Return when each of `workers` is ready; those that there were not are ready on average."""
    if workers is None or workers <= len(ready_s):
        return ready_s[:workers]
    usual_s = float(ready_s.mean()) if len(ready_s) else 0.0
    return np.concatenate([ready_s, np.full(workers - len(ready_s), usual_s)])
