"""A stage replayed with another set-up of its loader: workers, whether they stay, prefetching."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocr_baseline.analysis.replay.first_workers import DEAREST, FREE, USUAL, Handover
from ocr_baseline.analysis.replay.loader_replay import added_ready_s

if TYPE_CHECKING:
    from ocr_baseline.analysis.replay.loader_replay import LoaderReplay
    from ocr_baseline.analysis.replay.loader_timeline import LoaderPass, Simulated


@dataclass(frozen=True, kw_only=True)
class OtherLoader:
    """A set-up of a loader.

    Attributes:
        workers: How many workers make the batches; 0 is the main thread.
        are_kept: Whether they stay from one pass to the next.
        prefetch_factor: How many batches it asks for ahead of each; None leaves it.
        handover: What workers cost where the measured stage had none.
    """

    workers: int
    are_kept: bool = False
    prefetch_factor: int | None = None
    handover: Handover = FREE


class SavingRange(NamedTuple):
    """What would be saved with the dearest, the usual and a free handover; may be below 0."""

    low_s: float
    usual_s: float
    high_s: float


def saving_with_first_workers(
    replay: LoaderReplay, workers: int, *, are_kept: bool = False
) -> SavingRange:
    """Return what so many workers would save a stage whose main thread made its batches."""
    before_s = replay.as_measured.total_s
    loader = OtherLoader(workers=workers, are_kept=are_kept)
    return SavingRange(
        *(
            before_s - replayed_with(replay, replace(loader, handover=handover)).total_s
            for handover in (DEAREST, USUAL, FREE)
        )
    )


def replayed_with(replay: LoaderReplay, loader: OtherLoader) -> Simulated:
    """Return the replay of the whole stage with another set-up of its loader."""
    return replay.simulated_by_pass(lambda one, number: _changed(one, loader, is_first=number == 0))


def _changed(one: LoaderPass, loader: OtherLoader, *, is_first: bool) -> LoaderPass:
    sampler_s = one.sampler_share * one.receive_s
    if loader.workers == 0:
        nothing_s = np.zeros_like(one.fetch_s)
        return replace(one, ready_s=np.empty(0), deliver_s=nothing_s, receive_s=sampler_s)
    if len(one.ready_s):
        ready_s, receive_s = added_ready_s(one.ready_s, loader.workers), one.receive_s
    else:
        ready_s = np.full(loader.workers, loader.handover.startup_s)
        receive_s = sampler_s + loader.handover.receive_s
    if loader.are_kept and not is_first:
        ready_s = np.zeros(loader.workers)
    factor = loader.prefetch_factor or one.prefetch_factor
    return replace(one, ready_s=ready_s, receive_s=receive_s, prefetch_factor=factor)
