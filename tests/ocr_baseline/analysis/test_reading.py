from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.document import Phase
from ocr_baseline.model.run import ReadRecord, Run, StageRecord, WorkerRecord
from ocr_baseline.reports.story.reading import reading_notes
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import (
    evidence,
    finding,
    findings,
    run,
    stage,
    table,
    worker,
)

MIB = 2.0**20
RULE = "cold-first-pass"


def reads(record: WorkerRecord, disk_bytes: Sequence[float]) -> WorkerRecord:
    column = np.asarray(disk_bytes, dtype=np.float64)
    return replace(record, read_bytes=2 * column, disk_bytes=column)


def with_main_reading(record: StageRecord, *passes: ReadRecord) -> StageRecord:
    epochs = tuple(
        replace(epoch, reading=reading)
        for epoch, reading in zip(record.epochs, passes, strict=True)
    )
    return replace(record, epochs=epochs)


def passes_of(
    waits_s: Sequence[float], main_bytes: Sequence[float | None], *records: WorkerRecord
) -> Run:
    """Passes of ten batches, each batch of a pass waited for so long, and 1 s of step."""
    waits = np.repeat(np.asarray(waits_s, dtype=np.float64), 10)
    rows = table(len(waits), {"data_wait": waits, "forward": 1.0}, batches_a_pass=10)
    readings = [
        ReadRecord(read_bytes=value, disk_bytes=value, disk_wait_s=None) for value in main_bytes
    ]
    return run(with_main_reading(stage(Stage.TRAIN, rows), *readings), workers=records)


def train_of(measured: Run) -> Phase:
    [phase] = analyze(measured).phases
    return phase


def test_each_pass_holds_what_the_main_thread_and_the_workers_read_for_it() -> None:
    """A pass takes 10 s: what a worker began in it was for it, of the last pass too."""
    made = worker([0.0, 9.9, 10.1, 19.9, 20.5], [1.0, 10.0, 11.0, 20.0, 21.0], {"fetch": [1.0] * 5})
    measured = passes_of([0.0, 0.0], [5.0, 7.0], reads(made, [100.0, 10.0, 1.0, 2.0, 4.0]))
    phase = train_of(measured)

    assert [epoch.disk_read_bytes for epoch in phase.per_epoch] == [115.0, 14.0]
    assert [epoch.read_bytes for epoch in phase.per_epoch] == [225.0, 21.0]
    assert (phase.disk_read_bytes, phase.read_bytes) == (129.0, 246.0)
    [workers] = analyze(measured).workers
    assert (workers.disk_read_bytes, workers.read_bytes) == (117.0, 234.0)


def test_what_one_process_does_not_tell_is_not_measured_of_all() -> None:
    made = worker([0.0, 12.0], [1.0, 13.0], {"fetch": [1.0, 1.0]})
    measured = passes_of([0.0, 0.0], [5.0, 7.0], made)
    phase = train_of(measured)

    assert phase.disk_read_bytes is None
    missing = {entry.metric for entry in analyze(measured).missing}
    assert {"disk_read_bytes", "disk_wait_s"} <= missing


def test_a_pass_that_reads_nothing_is_measured() -> None:
    measured = passes_of([0.0, 0.0], [0.0, 0.0])
    assert train_of(measured).disk_read_bytes == 0.0
    assert "disk_read_bytes" not in {entry.metric for entry in analyze(measured).missing}
    assert reading_notes(train_of(measured)) == []


def test_a_first_pass_that_reads_from_disk_and_waits_longer_is_found() -> None:
    """Of each pass nine batches count: 0.5 s of wait each against 0.1 s."""
    measured = passes_of([0.5, 0.1, 0.1], [400 * MIB, 0.0, MIB])
    found = finding(measured, RULE)

    assert found.severity == "medium"
    assert found.estimated_saving_s == pytest.approx(9 * 0.4)
    assert found.estimated_saving_low_s == 0.0
    assert evidence(found) == pytest.approx(
        {
            "phases.train.per_epoch.first.disk_read_bytes": 400 * MIB,
            "phases.train.per_epoch.later.disk_read_bytes": MIB / 2,
            "phases.train.per_epoch.first.wait_s": 4.5,
            "phases.train.per_epoch.later.wait_s": 0.9,
        }
    )


@pytest.mark.parametrize(
    ("waits_s", "disk_bytes"),
    [
        ([0.5, 0.1, 0.1], [400.0, 300.0, 300.0]),
        ([0.5, 0.1, 0.1], [0.0, 0.0, 0.0]),
        ([0.5, 0.1, 0.1], [400.0, None, 0.0]),
        ([0.1, 0.1, 0.1], [400.0, 0.0, 0.0]),
        ([0.5], [400.0]),
    ],
    ids=["always reads", "never reads", "not measured", "no wait", "one pass"],
)
def test_no_first_pass_is_called_cold_without_bytes_that_fall_and_a_wait_that_does(
    waits_s: Sequence[float], disk_bytes: Sequence[float | None]
) -> None:
    assert findings(passes_of(waits_s, disk_bytes), RULE) == []


def test_the_report_tells_what_each_pass_read_and_took() -> None:
    [note] = reading_notes(train_of(passes_of([0.5, 0.1, 0.1], [400 * MIB, 0.0, 0.0])))
    assert note == (
        "400 MiB read from disk: 400 MiB in the first pass, which took 15.0 s, nothing in each "
        "later one, which took 11.0 s."
    )
