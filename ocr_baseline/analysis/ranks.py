"""The ranks of a distributed run: each one's totals, their spread, and who holds the others up."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from ocr_baseline.analysis.phases.builder import line_name
from ocr_baseline.model.document import Rank, RankPhase, RankSpread
from ocr_baseline.model.run import Missing
from ocr_baseline.vocabulary import PHASES, REPORTED_STAGES, Line, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ocr_baseline.model.run import RankRecord, RankStage, Run
    from ocr_baseline.vocabulary import PhaseName

EXPLAINED = 0.8
"""The share of the excess that one rank, and in it one line, must make up to be named; TraceML's
limit for a straggler and its cause."""

WAITING_LINES = frozenset({Line.BACKWARD.value, Line.COLLECTIVES.value})
"""Where a rank waits for the others: DDP exchanges gradients during the backward pass."""

_DATA_LINES = (Line.DATA_WAIT.value, Line.LOADER_STARTUP.value)
_METRICS = get_args(RankSpread.model_fields["metric"].annotation)
_SHOWN_RANKS = 8


@dataclass(frozen=True, kw_only=True)
class Straggler:
    """A rank whose own work takes longer than that of the others, in seconds per batch.

    `lead_s` is what it takes longer than the next slowest rank; `line` is the line that makes up
    most of the excess, None where no one line does.
    """

    stage: Stage
    rank: int
    ranks: int
    batches: int
    excess_s: float
    excess_share: float
    batch_mean_s: float
    lead_s: float
    line: str | None
    line_excess_s: float | None


def rank_sections(run: Run) -> list[Rank]:
    """Return each rank's section of the document."""
    return [
        Rank(
            rank=record.rank,
            status=record.status,
            ended_by=record.ended_by,
            recorded_until_s=record.recorded_until_s,
            lost_records=record.lost_records,
            phases=[_phase(stage, record.gradient_wait_s) for stage in record.stages],
        )
        for record in run.ranks
    ]


def _phase(stage: RankStage, gradient_wait_s: float | None) -> RankPhase:
    return RankPhase(
        phase=PHASES[stage.stage],
        batches=stage.batches,
        epochs=stage.epochs,
        samples=stage.samples,
        total_s=stage.total_s,
        batch_mean_s=stage.batches_s / stage.batches if stage.batches else None,
        data_wait_s=sum(stage.lines_s.get(line, 0.0) for line in _DATA_LINES),
        backward_s=stage.lines_s.get(Line.BACKWARD.value, 0.0),
        gradient_wait_mean_s=gradient_wait_s if stage.stage is Stage.TRAIN else None,
        collectives_s=stage.lines_s.get(Line.COLLECTIVES.value, 0.0),
        own_s=_own_s(stage),
    )


def _own_s(stage: RankStage) -> float:
    return sum(value for line, value in stage.lines_s.items() if line not in WAITING_LINES)


def rank_spreads(ranks: Sequence[Rank]) -> list[RankSpread]:
    """Return the spread over ranks of each metric of each phase, in seconds per batch."""
    spreads: list[RankSpread] = []
    for phase in (PHASES[stage] for stage in REPORTED_STAGES):
        mine = {
            rank.rank: found
            for rank in ranks
            for found in rank.phases
            if found.phase == phase and found.batches
        }
        if len(mine) > 1:
            spreads.extend(_spread(phase, metric, mine) for metric in _METRICS)
    return [spread for spread in spreads if spread.max > 0]


def _spread(phase: PhaseName, metric: str, by_rank: Mapping[int, RankPhase]) -> RankSpread:
    values = {
        rank: (found.batch_mean_s or 0.0)
        if metric == "batch"
        else float(getattr(found, f"{metric}_s")) / found.batches
        for rank, found in by_rank.items()
    }
    slowest = max(values, key=values.__getitem__)
    fastest = min(values, key=values.__getitem__)
    return RankSpread.model_validate(
        {
            "phase": phase,
            "metric": metric,
            "min": values[fastest],
            "min_rank": fastest,
            "median": statistics.median(values.values()),
            "max": values[slowest],
            "max_rank": slowest,
        }
    )


def straggler(ranks: Sequence[RankRecord], which: Stage) -> Straggler | None:
    """Return the rank that makes up 80% of what ranks work longer than the usual one.

    The work of a rank is its time per batch without the lines in which it waits for the others; the
    usual one is the lower median. None where the excess is spread over ranks.
    """
    stages = {
        record.rank: stage
        for record in ranks
        for stage in record.stages
        if stage.stage is which and stage.batches
    }
    if len(stages) < 2:
        return None
    own_s = {rank: _own_s(stage) / stage.batches for rank, stage in stages.items()}
    usual_s = statistics.median_low(own_s.values())
    excess_s = {rank: max(0.0, value - usual_s) for rank, value in own_s.items()}
    slowest = max(excess_s, key=excess_s.__getitem__)
    total_s = sum(excess_s.values())
    if total_s <= 0 or excess_s[slowest] < EXPLAINED * total_s:
        return None
    line, line_excess_s = _line_behind(stages, slowest, excess_s[slowest])
    stage = stages[slowest]
    return Straggler(
        stage=which,
        rank=slowest,
        ranks=len(stages),
        batches=stage.batches,
        excess_s=excess_s[slowest],
        excess_share=excess_s[slowest] / total_s,
        batch_mean_s=stage.total_s / stage.batches,
        lead_s=own_s[slowest] - max(value for rank, value in own_s.items() if rank != slowest),
        line=line,
        line_excess_s=line_excess_s,
    )


def _line_behind(
    stages: Mapping[int, RankStage], slowest: int, excess_s: float
) -> tuple[str | None, float | None]:
    def per_batch(stage: RankStage, line: str) -> float:
        return stage.lines_s.get(line, 0.0) / stage.batches

    lines = set(stages[slowest].lines_s) - WAITING_LINES
    by_line = {
        line: per_batch(stages[slowest], line)
        - statistics.median_low(per_batch(stage, line) for stage in stages.values())
        for line in lines
    }
    heaviest = max(by_line, key=by_line.__getitem__, default=None)
    if heaviest is None or by_line[heaviest] < EXPLAINED * excess_s:
        return None, None
    return line_name(heaviest), by_line[heaviest]


def rank_warnings(run: Run) -> list[str]:
    """Return what is odd about the ranks' records: uneven counts, ranks that stop early."""
    return [*_uneven(run.ranks), *_ended_otherwise(run.ranks)]


def _uneven(ranks: Sequence[RankRecord]) -> Iterator[str]:
    for which in REPORTED_STAGES:
        counts = {
            record.rank: stage.batches
            for record in ranks
            for stage in record.stages
            if stage.stage is which
        }
        if len(set(counts.values())) > 1:
            fewest = min(counts, key=counts.__getitem__)
            most = max(counts, key=counts.__getitem__)
            yield (
                f"ranks have uneven numbers of {which.value} batches: rank {fewest} has "
                f"{counts[fewest]}, rank {most} has {counts[most]}; totals here are rank 0's"
            )


def _ended_otherwise(ranks: Sequence[RankRecord]) -> Iterator[str]:
    first = next((record for record in ranks if record.rank == 0), None)
    if first is None:
        return
    others = [
        record
        for record in ranks
        if (record.status, record.ended_by) != (first.status, first.ended_by)
    ]
    for record in others[:_SHOWN_RANKS]:
        until = (
            "before its first batch"
            if record.recorded_until_s is None
            else f"at {record.recorded_until_s:.1f} s"
        )
        by = f" ({record.ended_by})" if record.ended_by else ""
        yield f"the records of rank {record.rank} stop {until}, its status is {record.status}{by}"
    if len(others) > _SHOWN_RANKS:
        yield f"{len(others) - _SHOWN_RANKS} more ranks ended differently from rank 0"


def missing_ranks(run: Run) -> Iterator[Missing]:
    """Yield an entry where ranks of the run left no records in the folder that was read."""
    present = {record.rank for record in run.ranks}
    absent = [rank for rank in range(min(run.world_size, 10**6)) if rank not in present]
    if run.world_size > 1 and absent:
        names = ", ".join(map(str, absent[:_SHOWN_RANKS]))
        more = f" and {len(absent) - _SHOWN_RANKS} more" if len(absent) > _SHOWN_RANKS else ""
        yield Missing(
            metric="ranks",
            reason="not_collected",
            detail=f"no records of rank {names}{more} of {run.world_size} in the folder that was "
            "read: on another machine's disk, or it ended before its setup",
        )
