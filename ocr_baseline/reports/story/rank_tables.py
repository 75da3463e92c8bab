"""The ranks of a distributed run, beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.text import formatting, wording
from ocr_baseline.reports.text.tables import Table

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline, Rank, RankPhase

MAX_RANKS = 8
_RANK_METRICS = {
    "batch": "whole batch",
    "data_wait": "waiting for data",
    "backward": "backward, including gradient exchange",
    "collectives": "other communication between ranks",
    "own": "own work, excluding the two above",
}


def spread_table(baseline: Baseline) -> Table | None:
    """Minimum, median and maximum over the ranks, per batch; None with only one rank."""
    rows = [
        [
            wording.stage_adjective(spread.phase),
            _RANK_METRICS[spread.metric],
            f"{formatting.duration(spread.min)} (rank {spread.min_rank})",
            formatting.duration(spread.median),
            f"{formatting.duration(spread.max)} (rank {spread.max_rank})",
        ]
        for spread in baseline.rank_spreads
    ]
    headers = ["Phase", "Time per batch", "Minimum", "Median", "Maximum"]
    return Table(headers=headers, rows=rows, align="llrrr") if rows else None


def rank_table(baseline: Baseline) -> Table | None:
    """Each rank's totals, of the first 8 ranks where there are more."""
    rows = [_rank_row(rank, phase) for rank in baseline.ranks[:MAX_RANKS] for phase in rank.phases]
    headers = ["Rank", "Status", "Phase", "Batches", "Samples", "Total", "Data wait", "Own work"]
    headers.append("Gradient wait per step")
    return Table(headers=headers, rows=rows, align="rllrrrrrr") if rows else None


def rank_notes(baseline: Baseline) -> list[str]:
    """Return what the tables cover."""
    notes = []
    if baseline.ranks and len(baseline.ranks) < baseline.world_size:
        notes.append(
            f"{len(baseline.ranks)} of {baseline.world_size} ranks left records in the folder that "
            "was read."
        )
    if len(baseline.ranks) > MAX_RANKS:
        left_out = len(baseline.ranks) - MAX_RANKS
        notes.append(
            f"{left_out:,} more ranks are in `baseline.json`; the spread covers all of them."
        )
    if any(
        phase.gradient_wait_mean_s is not None for rank in baseline.ranks for phase in rank.phases
    ):
        notes.append(
            "Gradient wait is the mean over the backward passes that DDP times itself: the first "
            "ten, then every hundredth."
        )
    return notes


def _rank_row(rank: Rank, phase: RankPhase) -> list[str]:
    wait_s = phase.gradient_wait_mean_s
    return [
        str(rank.rank),
        rank.status,
        wording.stage_adjective(phase.phase),
        formatting.count(phase.batches),
        formatting.count(phase.samples),
        formatting.duration(phase.total_s),
        formatting.duration(phase.data_wait_s),
        formatting.duration(phase.own_s),
        "" if wait_s is None else formatting.duration(wait_s),
    ]
