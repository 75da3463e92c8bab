from __future__ import annotations

from dataclasses import replace

import numpy as np

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.document import Baseline, SlowBatch, SlowSample
from ocr_baseline.model.run import Run
from ocr_baseline.model.slowest import SlowBatchRecord, SlowestRecord, SlowSampleRecord
from ocr_baseline.reports.story.slow_samples import slow_sample_lines
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import run, stage, table, worker


def with_slowest(slowest: SlowestRecord | None) -> Run:
    """Two passes of ten batches of 1 s, and a worker that made four batches of 1 s."""
    rows = table(20, {"forward": 1.0}, batches_a_pass=10)
    made = worker([0.0, 5.0, 9.0, 12.0], [1.0, 6.0, 10.0, 13.0], {"fetch": [1.0] * 4})
    made = replace(made, disk_bytes=np.asarray([0.0, 5.0, 6.0, 7.0]))
    return run(
        stage(Stage.TRAIN, rows), workers=(made,), slowest=() if slowest is None else (slowest,)
    )


def slow_batch(start_s: float, took_s: float, *indices: int) -> SlowBatchRecord:
    return SlowBatchRecord(
        start_s=start_s, took_s=took_s, worker=0, pid=1000, indices=indices or None
    )


def lines(document: Baseline) -> list[str]:
    return list(slow_sample_lines(document))


def test_slow_samples_and_batches_have_their_epoch_and_what_was_read() -> None:
    document = analyze(
        with_slowest(
            SlowestRecord(
                stage=Stage.TRAIN,
                batches=(slow_batch(12.0, 4.0, 7, 8), slow_batch(5.0, 3.0)),
                samples=(
                    SlowSampleRecord(index=7, start_s=12.5, took_s=2.0, file="cats/7.png"),
                    SlowSampleRecord(index=3, start_s=1.0, took_s=0.5),
                ),
                samples_timed=10,
                samples_s=3.0,
            )
        )
    )
    [workers] = document.workers

    assert workers.slowest_batches == [
        SlowBatch(time_s=4.0, epoch=1, indices=[7, 8], disk_read_bytes=7.0),
        SlowBatch(time_s=3.0, epoch=0, indices=None, disk_read_bytes=5.0),
    ]
    assert workers.slowest_samples == [
        SlowSample(index=7, time_s=2.0, epoch=1, file="cats/7.png"),
        SlowSample(index=3, time_s=0.5, epoch=0),
    ]
    assert workers.sample_mean_s == 0.3
    assert lines(document) == [
        "Training: the slowest samples are number 7 `cats/7.png` with 2.00 s (on average 300 ms)."
    ]


def test_samples_that_take_alike_are_not_told_in_the_report() -> None:
    samples = tuple(SlowSampleRecord(index=one, start_s=0.0, took_s=0.5) for one in range(3))
    slowest = SlowestRecord(stage=Stage.TRAIN, samples=samples, samples_timed=3, samples_s=1.5)
    assert lines(analyze(with_slowest(slowest))) == []


def test_where_no_sample_is_timed_the_slowest_batch_is_told_and_why() -> None:
    slowest = SlowestRecord(stage=Stage.TRAIN, batches=(slow_batch(5.0, 3.0, *range(9)),))
    document = analyze(with_slowest(slowest))

    assert lines(document) == [
        "Training: the slowest batch took 3.00 s, with the samples 0, 1, 2, 3, 4, 5, 6, 7, … "
        "(on average 1.00 s)."
    ]
    assert "workers.train.slowest_samples" in {entry.metric for entry in document.missing}


def test_a_run_whose_records_tell_of_none_says_nothing() -> None:
    document = analyze(with_slowest(None))
    assert document.workers[0].slowest_batches == []
    assert lines(document) == []
