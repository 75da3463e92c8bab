from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest

from ocr_baseline.reports.run.csv import render_metrics_csv
from ocr_baseline.reports.text.csv_text import write_csv
from tests.ocr_baseline.examples import (
    EXAMPLES,
    empty_baseline,
    full_baseline,
    hostile_baseline,
    one_batch_baseline,
)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_table_is_the_golden_file(name: str, assert_golden: Callable[[str, str], None]) -> None:
    assert_golden(f"{name}.csv", render_metrics_csv(EXAMPLES[name]()))


def test_a_value_stands_in_full_precision_with_its_unit() -> None:
    found = [
        row
        for row in rows(render_metrics_csv(full_baseline()))
        if (row["phase"], row["metric"]) == ("train", "batch_time_s.mean")
    ]
    assert [(float(row["value"]), row["unit"]) for row in found] == [(0.168 * 1.05, "s")]


def test_a_missing_value_is_empty_and_says_why() -> None:
    found = next(
        row
        for row in rows(render_metrics_csv(one_batch_baseline()))
        if row["metric"] == "batch_time_s.std"
    )
    assert (found["value"], found["missing"]) == ("", "not collected: one batch has no spread")


def test_a_run_without_measurements_has_no_value_at_all() -> None:
    found = rows(render_metrics_csv(empty_baseline()))
    assert found
    assert all(row["value"] == "" and row["missing"] for row in found)


def test_a_unit_is_that_of_the_field_or_of_what_the_field_is_in() -> None:
    units = {row["metric"]: row["unit"] for row in rows(render_metrics_csv(full_baseline()))}
    assert units["batch_time_s.count"] == "count"
    assert units["device.batch_time_s.p95"] == "s"
    assert units["throughput_samples_per_s"] == "samples/s"
    assert units["memory.process_tree_rss_bytes.peak"] == "bytes"
    assert units["memory.process_tree_rss_bytes.growth_low_bytes_per_min"] == "bytes/min"
    assert units["operation.share_of_phase"] == units["line.share"] == "share"
    assert units["train_vs_validation.sample_ratio.low"] == "ratio"
    assert units["memory.system_memory_percent"] == "percent"


def test_rows_of_lines_operations_and_dataloaders_are_told_apart() -> None:
    keys = [
        tuple(row[key] for key in ("phase", "dataloader", "process", "name", "metric"))
        for row in rows(render_metrics_csv(full_baseline()))
    ]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1"])
def test_no_text_starts_a_formula(start: str) -> None:
    cell = next(csv.reader(io.StringIO(write_csv(["h"], [[start]]).splitlines()[1])))[0]
    assert cell.startswith("'")


def test_a_negative_number_stays_a_number() -> None:
    assert write_csv(["x"], [[-0.061], [None], [float("nan")]]).splitlines() == [
        "x",
        "-0.061",
        '""',
        '""',
    ]


def test_a_hostile_name_stays_in_its_cell() -> None:
    found = rows(render_metrics_csv(hostile_baseline()))
    assert all(None not in row and None not in row.values() for row in found)


def test_sampled_functions_have_their_shares_by_line() -> None:
    found = {
        (row["process"], row["name"], row["metric"]): row["value"]
        for row in rows(render_metrics_csv(full_baseline()))
        if row["metric"].startswith("function.") and row["unit"] == "share"
    }
    assert found["main", "Metric.match", "function.metrics.inclusive_share"] == "0.71"
    assert found["main", "Metric.match", "function.metrics.self_share"] == "0.7"
    assert found["worker", "Receipts.__getitem__", "function.fetch.inclusive_share"] == "0.9"
