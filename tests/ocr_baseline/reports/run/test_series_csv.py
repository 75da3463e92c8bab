from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from ocr_baseline.model.run import Run, StageRecord
from ocr_baseline.reports.run.csv import has_series, render_series_csv
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.examples import HOSTILE_NAME, batch_table, empty_run, recorded_run


def rows(run: Run) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render_series_csv(run))))


@pytest.mark.parametrize("batches", [1, 3])
def test_the_table_is_the_golden_file(
    batches: int, assert_golden: Callable[[str, str], None]
) -> None:
    assert_golden(f"series_{batches}.csv", render_series_csv(recorded_run(batches)))


def test_each_batch_is_a_row_and_its_lines_add_up_to_it() -> None:
    found = rows(recorded_run(4))
    assert [(row["stage"], row["batch_idx"]) for row in found] == [
        *(("train", str(index)) for index in range(4)),
        *(("validation", str(index)) for index in range(2)),
    ]
    for row in found:
        lines = [row[name] for name in ("data_wait_s", "forward_s", "metrics_s") if row[name]]
        assert sum(map(float, lines)) == pytest.approx(float(row["duration_s"]))


def test_a_line_that_a_stage_does_not_have_is_empty() -> None:
    validation = next(row for row in rows(recorded_run()) if row["stage"] == "validation")
    assert validation["data_wait_s"] == ""


def test_a_size_that_could_not_be_told_is_empty() -> None:
    table = replace(batch_table(1), samples=np.array([np.nan]))
    run = replace(empty_run(), stages=(StageRecord(stage=Stage.TRAIN, batches=table),))
    assert rows(run)[0]["samples"] == ""


def test_a_run_without_batches_has_no_series() -> None:
    assert not has_series(empty_run())
    assert not has_series(recorded_run(0))
    assert has_series(recorded_run(1))
    assert rows(empty_run()) == []


def test_a_hostile_name_of_an_operation_stays_in_its_column() -> None:
    run = replace(
        empty_run(),
        stages=(StageRecord(stage=Stage.TRAIN, batches=batch_table(2, (HOSTILE_NAME, "=1+1"))),),
    )
    parsed = list(csv.reader(io.StringIO(render_series_csv(run))))
    assert [len(row) for row in parsed] == [9, 9, 9]
    assert parsed[0][8] == "'=1+1_s"
