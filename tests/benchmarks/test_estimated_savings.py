from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from benchmarks.estimated_savings import estimate_saving
from ocr_baseline.model.run import Run
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import loaded_run, operation, steady_run


def scoring_run(*, making_s: Sequence[float], main_s: float, score_share: float) -> Run:
    """One worker; `score_share` of what the main thread does with each batch is in `score`."""
    measured_run = loaded_run(making_s=making_s, main_s=main_s, workers=1)
    [train] = measured_run.stages
    assert train.batches is not None
    lines_s = dict(train.batches.lines_s)
    lines_s["op:score"] = score_share * lines_s["forward"]
    lines_s["forward"] = lines_s["forward"] - lines_s["op:score"]
    score = operation("score", len(making_s) * main_s * score_share)
    return replace(
        measured_run,
        stages=(replace(train, batches=replace(train.batches, lines_s=lines_s)),),
        operations=(score,),
    )


def saving_s(measured_run: Run, name: str) -> float:
    found = estimate_saving(measured_run, name, Stage.TRAIN)
    assert found is not None
    return found.saving_s


def test_the_main_thread_saves_what_an_operation_took_when_workers_keep_up() -> None:
    # a batch is made in 1 s and used in 4 s, or in 2 s without the scoring: no wait but the first
    measured_run = scoring_run(making_s=[1.0] * 10, main_s=4.0, score_share=0.5)
    assert saving_s(measured_run, "score") == pytest.approx(20.0)


def test_the_main_thread_saves_little_when_it_would_only_wait_for_workers_instead() -> None:
    # waits of 3 s, then 1 s for each of 9; without a second of scoring 3 s, then 2 s for each of 9
    measured_run = scoring_run(making_s=[3.0] * 10, main_s=2.0, score_share=0.5)
    assert saving_s(measured_run, "score") == pytest.approx(1.0)


def test_without_workers_an_operation_saves_what_it_took() -> None:
    measured_run = steady_run(
        {"op:score": 1.0, "data_wait": 2.0}, operations=[operation("score", 24)]
    )
    found = estimate_saving(measured_run, "score", Stage.TRAIN)
    assert found is not None
    assert found.saving_s == pytest.approx(24.0)
    assert found.basis == "its time in the main thread"


def test_an_operation_saves_what_it_calls_as_well() -> None:
    nested = replace(operation("score", 24.0), total_s=36.0)
    measured_run = steady_run({"op:score": 1.0, "op:match": 0.5}, operations=[nested])
    assert saving_s(measured_run, "score") == pytest.approx(36.0)


def test_an_operation_in_workers_saves_what_is_waited_less() -> None:
    # half of 3 s is 1.5 s, less than the main thread needs: 1.5 s remain of the first wait
    measured_run = loaded_run(making_s=[3.0] * 10, main_s=2.0, workers=1, operation_share=0.5)
    assert saving_s(measured_run, "decode") == pytest.approx(10.5)


def test_an_operation_in_workers_saves_what_it_calls_there_as_well() -> None:
    # 0.75 s of each 3 s in itself, as much again in what it calls: 1.5 s are left, as above
    measured_run = loaded_run(making_s=[3.0] * 10, main_s=2.0, workers=1, operation_share=0.25)
    [decode] = measured_run.operations
    measured_run = replace(measured_run, operations=(replace(decode, total_s=15.0),))
    assert saving_s(measured_run, "decode") == pytest.approx(10.5)


def test_an_operation_that_was_not_timed_in_the_stage_has_no_saving() -> None:
    measured_run = steady_run({"op:score": 1.0}, operations=[operation("score", 24.0)])
    assert estimate_saving(measured_run, "score", Stage.VALIDATION) is None
    assert estimate_saving(measured_run, "decode", Stage.TRAIN) is None


def test_an_operation_in_workers_that_left_no_records_has_no_saving() -> None:
    decode = operation("decode", 24.0, in_worker=True)
    measured_run = steady_run({"data_wait": 1.0}, operations=[decode])
    assert estimate_saving(measured_run, "decode", Stage.TRAIN) is None
