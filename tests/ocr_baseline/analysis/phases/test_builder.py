from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.document import Baseline, Phase
from ocr_baseline.model.run import (
    MeasurementRecord,
    ReportedEpoch,
    Run,
    RunInfo,
    StageRecord,
)
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import run, stage, steady_run, table


def phase(document: Baseline, name: str = "train") -> Phase:
    found = document.phase(name)
    assert found is not None
    return found


def lines(found: Phase) -> dict[str, float]:
    return {line.name: line.total_s for line in found.breakdown}


durations = st.lists(st.floats(0, 100, allow_nan=False, width=32), min_size=1, max_size=30)


@given(durations, st.floats(0, 10), st.integers(0, 5000))
def test_the_breakdown_sums_to_the_phases_total(
    forward_s: list[float], tail_s: float, events: int
) -> None:
    rows = table(len(forward_s), {"forward": forward_s, "other": 0.125})
    document = analyze(
        run(
            stage(Stage.TRAIN, rows, tails_s=[{"checkpoint": tail_s}], events=events),
            measurement=MeasurementRecord(event_cost_s=1e-5),
        )
    )
    found = phase(document)
    assert sum(lines(found).values()) == pytest.approx(found.total_s, rel=1e-6)
    assert sum(line.share or 0 for line in found.breakdown) == pytest.approx(1.0, rel=1e-6)


def test_warm_up_is_in_the_totals_and_not_in_the_statistics() -> None:
    slow_start = [10.0, 5.0, 5.0, 1.0, 1.0, 1.0]
    found = phase(analyze(steady_run({"forward": slow_start}, batches=6)))
    assert found.total_s == 23.0
    assert found.batch_time_s is not None
    assert (found.batch_time_s.count, found.batch_time_s.mean) == (3, 1.0)
    assert found.batch_time_scope == "steady batches"
    assert found.warmup is not None
    assert (found.warmup.batches, found.warmup.total_s) == (3, 20.0)


def test_one_batch_is_its_own_statistics() -> None:
    found = phase(analyze(steady_run({"forward": 0.5}, batches=1)))
    assert found.batch_time_s is not None
    assert (found.batch_time_s.count, found.batch_time_s.mean, found.batch_time_s.std) == (
        1,
        0.5,
        None,
    )
    assert found.batch_time_scope == "all batches"
    assert found.warmup is not None
    assert found.warmup.batches == 0
    assert (found.samples, found.sample_time_s, found.throughput_samples_per_s) == (4, 0.125, 8.0)


def test_a_stage_without_batches_has_a_total_and_no_statistics() -> None:
    document = analyze(run(stage(Stage.VALIDATION, None, tails_s=[{"loader_startup": 0.5}])))
    found = phase(document, "validation")
    assert (found.batches, found.total_s, found.batch_time_s, found.warmup) == (0, 0.5, None, None)
    assert lines(found) == {"loader_startup": 0.5}
    assert found.breakdown[0].per_batch_s is None


def test_a_stage_that_took_no_time_has_no_shares() -> None:
    found = phase(analyze(steady_run({"forward": 0.0}, batches=2)))
    assert found.throughput_samples_per_s is None
    assert [line.share for line in found.breakdown] == [None]


def test_batches_of_unknown_size_leave_sample_times_unmeasured() -> None:
    document = analyze(
        run(stage(Stage.TRAIN, table(6, {"forward": 0.1}, samples=[4, 4, 4, 4, 4, np.nan])))
    )
    found = phase(document)
    assert (found.samples, found.sample_time_s, found.throughput_samples_per_s) == (None,) * 3
    assert "phases.train.samples" in {entry.metric for entry in document.missing}


def test_each_of_several_loaders_has_a_phase_and_so_have_all_together() -> None:
    loaders = [0, 0, 0, 0, 1, 1]
    rows = table(6, {"forward": [1.0, 1, 1, 1, 4, 4]}, dataloader_idx=loaders)
    document = analyze(run(stage(Stage.VALIDATION, rows, tails_s=[{"metrics": 2.0}])))
    totals = {found.dataloader: found.total_s for found in document.phases}
    assert totals == {None: 14.0, 0: 4.0, 1: 8.0}
    batches = {found.dataloader: found.batches for found in document.phases}
    assert batches == {None: 6, 0: 4, 1: 2}
    by_loader = {found.dataloader: found for found in document.phases}
    assert lines(by_loader[1]) == {"forward": 8.0}
    assert by_loader[1].batch_time_s is not None
    assert by_loader[1].batch_time_s.mean == 4.0


def test_callbacks_are_one_line_with_a_part_for_each() -> None:
    found = phase(
        analyze(
            steady_run(
                {
                    "forward": 1.0,
                    "callbacks": 0.25,
                    "callbacks:Slow": 0.5,
                    "callbacks:Quick": 0.125,
                },
                batches=4,
            )
        )
    )
    line = next(line for line in found.breakdown if line.name == "callbacks")
    assert line.total_s == 3.5
    assert [(part.name, part.total_s) for part in line.parts] == [("Slow", 2.0), ("Quick", 0.5)]


def test_an_operation_named_like_a_fixed_line_stays_apart_from_it() -> None:
    found = phase(
        analyze(steady_run({"metrics": 1.0, "op:metrics": 0.5, "op:cv2.x": 0.25}, batches=4))
    )
    assert lines(found) == {"metrics": 4.0, "operation metrics": 2.0, "cv2.x": 1.0}


def test_the_profilers_own_spans_move_from_other_to_profiler() -> None:
    rows = table(4, {"other": 1.0, "profiler": 0.5})
    document = analyze(
        run(
            stage(Stage.TRAIN, rows, tails_s=[{}], events=1000),
            measurement=MeasurementRecord(event_cost_s=0.001),
        )
    )
    assert lines(phase(document)) == pytest.approx({"other": 3.0, "profiler": 3.0})
    assert document.measurement.overhead_s == pytest.approx(3.0)
    assert document.measurement.overhead_share == pytest.approx(0.5)
    assert document.measurement.per_batch_overhead_s == pytest.approx(0.75)


def test_no_more_than_other_holds_is_moved_to_the_profiler() -> None:
    rows = table(4, {"other": 0.25, "forward": 1.0})
    document = analyze(
        run(
            stage(Stage.TRAIN, rows, tails_s=[{}], events=10**9),
            measurement=MeasurementRecord(event_cost_s=1.0),
        )
    )
    assert lines(phase(document)) == {"forward": 4.0, "profiler": 1.0, "other": 0.0}


def test_epochs_hold_their_batches_and_their_tail() -> None:
    rows = table(8, {"forward": [1.0, 1, 1, 1, 2, 2, 2, 2]}, batches_a_pass=4)
    found = phase(
        analyze(run(stage(Stage.TRAIN, rows, tails_s=[{"checkpoint": 0.5}, {"checkpoint": 1.0}])))
    )
    assert [(epoch.epoch, epoch.batches, epoch.total_s) for epoch in found.per_epoch] == [
        (0, 4, 4.5),
        (1, 4, 9.0),
    ]
    assert found.epochs == 2


def test_an_epoch_that_was_cut_short_has_batches_but_no_total() -> None:
    rows = table(8, {"forward": 1.0}, batches_a_pass=4)
    found = phase(analyze(run(stage(Stage.TRAIN, rows, tails_s=[{"checkpoint": 0.5}]))))
    assert [(epoch.batches, epoch.total_s) for epoch in found.per_epoch] == [(4, 4.5), (4, None)]
    assert found.total_s == 8.5


def reported(**later: float | None) -> Run:
    first = ReportedEpoch(
        epoch=0, epoch_time_s=10.0, num_batches=20, num_samples=80.0, batch_mean_s=0.5
    )
    last = ReportedEpoch(
        epoch=1,
        epoch_time_s=later.get("epoch_time_s", 6.0),
        num_batches=20,
        num_samples=80.0,
        batch_mean_s=0.25,
        batch_p95_s=0.375,
    )
    return Run(
        info=RunInfo(source="csv"),
        stages=(StageRecord(stage=Stage.VALIDATION, reported=(first, last)),),
    )


def test_logged_epochs_sum_to_totals_and_the_last_gives_the_statistics() -> None:
    found = phase(analyze(reported()), "validation")
    assert (found.epochs, found.batches, found.samples, found.total_s) == (2, 40, 160, 16.0)
    assert (found.sample_time_s, found.throughput_samples_per_s) == (0.1, 10.0)
    assert found.batch_time_s is not None
    assert (found.batch_time_s.count, found.batch_time_s.mean, found.batch_time_s.p95) == (
        20,
        0.25,
        0.375,
    )
    assert found.batch_time_s.median is None
    assert found.batch_time_scope == "last logged epoch"
    assert found.breakdown == []


def test_a_total_is_unknown_when_one_epochs_time_was_not_logged() -> None:
    found = phase(analyze(reported(epoch_time_s=None)), "validation")
    assert (found.total_s, found.sample_time_s) == (None, None)
