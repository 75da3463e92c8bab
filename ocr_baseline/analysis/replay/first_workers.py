"""From no loader workers to some: what handing batches over costs, which such a run can't measure.

A worker has to be started in each pass, and the main thread takes each batch from it: it unpickles
a handle for each tensor, maps its memory and faults its pages in. The saving therefore has a range,
from the dearest handover that was seen to none, and is an estimate.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ocr_baseline.analysis.replay.loader_replay import LoaderReplay
    from ocr_baseline.analysis.replay.loader_timeline import LoaderPass


class Handover(NamedTuple):
    """What a worker takes to be ready in each pass, and the main thread to take each batch."""

    startup_s: float
    receive_s: float


DEAREST = Handover(startup_s=1.1, receive_s=0.007)
USUAL = Handover(startup_s=0.4, receive_s=0.0013)
FREE = Handover(startup_s=0.0, receive_s=0.0)
"""Measured with PyTorch's `DataLoader` and one forked worker on two busy cores, the least of 60
times each: to take a batch of one small tensor 1.3 ms (usual), of twenty 7 ms (dearest). The first
batch was there after 0.36 to 1.1 s. That it costs nothing is the bound that needs no measuring."""


class SavingRange(NamedTuple):
    """What would be saved with the dearest, the usual and a free handover; may be below 0."""

    low_s: float
    usual_s: float
    high_s: float


def saving_with_first_workers(replay: LoaderReplay, workers: int) -> SavingRange:
    """Return what so many workers would save a stage whose main thread made its batches."""
    return SavingRange(
        *(_saving_s(replay, workers, handover) for handover in (DEAREST, USUAL, FREE))
    )


def _saving_s(replay: LoaderReplay, workers: int, handover: Handover) -> float:
    def change(one: LoaderPass) -> LoaderPass:
        return replace(
            one,
            ready_s=np.full(workers, handover.startup_s),
            receive_s=np.full_like(one.fetch_s, handover.receive_s),
        )

    return replay.as_measured.total_s - replay.simulated(change).total_s
