"""The processes of a distributed run in the document."""

from __future__ import annotations

from typing import Literal

from ocr_baseline.model.parts.base import Count, DocumentModel, FiniteFloat
from ocr_baseline.vocabulary import PhaseName, RunStatus


class RankPhase(DocumentModel):
    """One phase on one rank, warm-up and all.

    `own_s` leaves out the lines in which a rank waits for the others: the backward pass, which
    ends with the gradients of all ranks, and collectives that were called outside of it.
    `gradient_wait_mean_s` is the part of one backward pass in which the rank had nothing left to
    compute and waited for those gradients, the mean of the passes that DDP times itself (the first
    ten, and every hundredth).
    """

    phase: PhaseName
    batches: Count
    epochs: Count
    samples: Count | None = None
    total_s: FiniteFloat
    batch_mean_s: FiniteFloat | None = None
    data_wait_s: FiniteFloat
    backward_s: FiniteFloat
    gradient_wait_mean_s: FiniteFloat | None = None
    collectives_s: FiniteFloat
    own_s: FiniteFloat


class Rank(DocumentModel):
    """One process of a distributed run; `recorded_until_s` is when its last batch began."""

    rank: Count
    status: RunStatus = "unknown"
    ended_by: str | None = None
    recorded_until_s: FiniteFloat | None = None
    lost_records: Count = 0
    phases: list[RankPhase] = []


class RankSpread(DocumentModel):
    """A metric of `ranks[].phases[]`, in seconds per batch, over the ranks."""

    phase: PhaseName
    metric: Literal["batch", "data_wait", "backward", "collectives", "own"]
    min: FiniteFloat
    min_rank: Count
    median: FiniteFloat
    max: FiniteFloat
    max_rank: Count
