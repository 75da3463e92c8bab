"""One pass over a loader: what was measured of it, and when each thing happens under its rules.

PyTorch's `DataLoader` gives the batches to its workers in turn, keeps `prefetch_factor` batches per
worker requested ahead of the one that it hands over, and hands them over in order
(`_MultiProcessingDataLoaderIter` in torch/utils/data/dataloader.py). A made batch is delivered
while the next one is being made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

PREFETCH_FACTOR = 2
"""PyTorch's default, for workers whose loader's own was not recorded."""


@dataclass(frozen=True, kw_only=True)
class LoaderPass:
    """One pass over one loader.

    `main_s` is what the main thread did after it got each batch, until it asked for the next,
    `fetch_s` what each batch took to make, `lines_s` the parts of that by line, `deliver_s` what
    its worker took to deliver it beside the making of others, when it had no other to deliver,
    `receive_s` how long the main thread still waited for a batch that was delivered: all of shape
    (batches,). `ready_s` has shape (workers,): when each worker began its first batch, counted
    from the moment at which the main thread asked for its first; empty where it makes its own.
    `main_lines_s` has the parts of each batch's time in the main thread by line, shape (batches,)
    each. The loader asks for `prefetch_factor` batches ahead of each worker. `receive_ready_s` is
    what the main thread took to receive the batches that were ready when it asked for them, shape
    (such batches,). `sampler_share` is the part of `receive_s` in which the main thread read the
    sampler: it does that without workers, too.
    """

    main_s: NDArray[np.float64]
    fetch_s: NDArray[np.float64]
    deliver_s: NDArray[np.float64]
    receive_s: NDArray[np.float64]
    lines_s: Mapping[str, NDArray[np.float64]]
    ready_s: NDArray[np.float64]
    main_lines_s: Mapping[str, NDArray[np.floating]] = field(default_factory=dict)
    prefetch_factor: int = PREFETCH_FACTOR
    sampler_share: float = 0.0
    receive_ready_s: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def ahead(self, workers: int) -> int:
        """Return how many batches so many workers are asked for ahead."""
        return workers * self.prefetch_factor


class Simulated(NamedTuple):
    """From the main thread's first request to its last batch's end, and the waits in that."""

    total_s: float
    wait_s: float


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """When each batch was begun, sent on its way and there; shape (batches,) each.

    Instants count from the main thread's first request.
    """

    begun_s: NDArray[np.float64]
    sent_s: NDArray[np.float64]
    there_s: NDArray[np.float64]


def timeline_of(one: LoaderPass) -> Timeline:
    """Return when everything in a pass of workers happens if each thing takes what it says."""
    workers = len(one.ready_s)
    free_s: list[float] = one.ready_s.tolist()
    delivered_s = [-np.inf] * workers
    ahead = one.ahead(workers)
    begun_s: list[float] = []
    sent_s: list[float] = []
    there_s: list[float] = []
    asked_s = 0.0
    columns = (one.main_s, one.fetch_s, one.deliver_s, one.receive_s)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for position, (work_s, making_s, delivering_s, receiving_s) in enumerate(rows):
        worker = position % workers
        begin_s = free_s[worker]
        if position >= ahead:
            begin_s = max(begin_s, there_s[position - ahead])
        made_s = free_s[worker] = begin_s + making_s
        send_s = max(made_s, delivered_s[worker])
        delivered_s[worker] = send_s + delivering_s
        begun_s.append(begin_s)
        sent_s.append(send_s)
        there_s.append(max(delivered_s[worker], asked_s) + receiving_s)
        asked_s = there_s[-1] + work_s
    return Timeline(
        begun_s=np.asarray(begun_s), sent_s=np.asarray(sent_s), there_s=np.asarray(there_s)
    )


def simulate(one: LoaderPass) -> Simulated:
    """Return how long a pass takes if each thing in it takes what it says.

    Without workers the main thread makes each batch as it asks for it.
    """
    work_s = float(one.main_s.sum())
    if len(one.ready_s) == 0:
        wait_s = float(one.fetch_s.sum() + one.deliver_s.sum() + one.receive_s.sum())
        return Simulated(wait_s + work_s, wait_s)
    total_s = float(timeline_of(one).there_s[-1] + one.main_s[-1])
    return Simulated(total_s, total_s - work_s)
