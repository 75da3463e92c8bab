"""Ranks side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.document import Baseline
from ocr_baseline.model.run import RankRecord, RankStage, Run, RunInfo
from ocr_baseline.reports.run.markdown import render_markdown
from ocr_baseline.vocabulary import Stage

BATCHES = 10


def rank(number: int, batches: int = BATCHES, /, **lines_s: float) -> RankRecord:
    """A rank whose batches each take `lines_s`."""
    stage = RankStage(
        stage=Stage.TRAIN,
        batches=batches,
        epochs=1,
        samples=4 * batches,
        total_s=batches * sum(lines_s.values()),
        batches_s=batches * sum(lines_s.values()),
        lines_s={line: batches * value for line, value in lines_s.items()},
    )
    return RankRecord(rank=number, status="finished", recorded_until_s=9.0, stages=(stage,))


def baseline_of(*ranks: RankRecord, world_size: int | None = None) -> Baseline:
    return analyze(
        Run(info=RunInfo(source="recorder"), ranks=ranks, world_size=world_size or len(ranks))
    )


def stragglers(baseline: Baseline) -> list[str]:
    return [f.title for f in baseline.findings if f.id.startswith("straggler-rank")]


def test_a_rank_that_works_longer_is_named_with_the_line_that_explains_it() -> None:
    usual = {"data_wait": 0.01, "forward": 0.1, "backward": 0.2}
    slow = {"data_wait": 0.11, "forward": 0.1, "backward": 0.1}
    baseline = baseline_of(rank(0, **usual), rank(1, **usual), rank(2, **slow))
    (title,) = stragglers(baseline)
    assert title == "Rank 2 works longer than the other ranks in training, mostly in `data_wait`"
    finding = baseline.findings[0]
    assert finding.estimated_saving_s == pytest.approx(0.1 * BATCHES)


def test_waiting_in_the_exchange_of_gradients_makes_no_straggler() -> None:
    baseline = baseline_of(
        rank(0, forward=0.1, backward=0.1),
        rank(1, forward=0.1, backward=0.9, collectives=0.5),
        rank(2, forward=0.1, backward=0.1),
    )
    assert stragglers(baseline) == []


def test_two_slow_ranks_explain_less_than_80_percent_each_and_none_is_named() -> None:
    ranks = [rank(number, forward=0.1) for number in range(4)]
    baseline = baseline_of(*ranks, rank(4, forward=0.3), rank(5, forward=0.3))
    assert stragglers(baseline) == []


def test_several_lines_share_the_excess_and_no_line_is_named() -> None:
    baseline = baseline_of(
        rank(0, forward=0.1, transfer=0.1),
        rank(1, forward=0.1, transfer=0.1),
        rank(2, forward=0.2, transfer=0.2),
    )
    assert stragglers(baseline) == ["Rank 2 works longer than the other ranks in training"]


def test_a_difference_below_5_percent_of_a_batch_is_no_straggler() -> None:
    assert stragglers(baseline_of(rank(0, forward=1.0), rank(1, forward=1.04))) == []


def test_spreads_are_seconds_a_batch_with_the_ranks_at_both_ends() -> None:
    baseline = baseline_of(*(rank(number, forward=0.1 * (number + 1)) for number in range(3)))
    spread = next(spread for spread in baseline.rank_spreads if spread.metric == "own")
    assert (spread.min, spread.median, spread.max) == pytest.approx((0.1, 0.2, 0.3))
    assert (spread.min_rank, spread.max_rank) == (0, 2)


def test_uneven_counts_and_a_rank_that_stopped_are_warnings() -> None:
    dead = replace(rank(1, 4, forward=0.1), status="unknown", recorded_until_s=3.2)
    warnings = baseline_of(rank(0, forward=0.1), dead).measurement.warnings
    assert warnings == [
        "ranks have uneven numbers of train batches: rank 1 has 4, rank 0 has 10; totals here are "
        "rank 0's",
        "the records of rank 1 stop at 3.2 s, its status is unknown",
    ]


def test_ranks_without_records_are_missing_by_number() -> None:
    baseline = baseline_of(rank(0, forward=0.1), rank(2, forward=0.1), world_size=4)
    entry = next(entry for entry in baseline.missing if entry.metric == "ranks")
    assert entry.detail is not None
    assert entry.detail.startswith("no records of rank 1, 3 of 4")


def test_the_report_shows_8_ranks_and_says_how_many_more_there_are() -> None:
    text = render_markdown(baseline_of(*(rank(number, forward=0.1) for number in range(20))))
    assert "<summary>Ranks</summary>" in text
    assert "12 more ranks are in `baseline.json`" in text


def test_a_run_of_one_rank_has_no_section_on_ranks() -> None:
    baseline = analyze(Run(info=RunInfo(source="recorder")))
    assert (baseline.world_size, baseline.ranks, baseline.rank_spreads) == (1, [], [])
    assert "## Ranks" not in render_markdown(baseline)
