"""A machine's own spread."""

from __future__ import annotations

import pytest

from ocr_baseline.comparison.calibration import (
    calibrate,
    parse_calibration,
    render_calibration,
)
from ocr_baseline.errors import ComparisonError, SchemaError
from tests.ocr_baseline.comparison.measured_runs import IDENTITY, run, runs


def test_a_calibration_gives_the_spread_of_each_metric() -> None:
    found = calibrate(runs(10, spread=0.03))
    assert found.runs == 10
    assert found.metrics["train.batch_time"].spread == pytest.approx(0.03)
    assert "memory.peak_rss" not in found.metrics


def test_a_calibration_survives_its_file() -> None:
    found = calibrate(runs(8))
    assert parse_calibration(render_calibration(found), "c.json") == found


def test_fewer_than_eight_runs_are_refused() -> None:
    with pytest.raises(ComparisonError, match=r"at least 8 runs .*, not 7"):
        calibrate(runs(7))


def test_copies_are_refused() -> None:
    with pytest.raises(ComparisonError, match="copies"):
        calibrate([*runs(8), run(0)])


def test_runs_of_two_machines_are_refused_with_the_field_named() -> None:
    odd = run(99, identity={**IDENTITY, "cpu_count": 64})
    with pytest.raises(ComparisonError, match="cpu_count is 2 in run-0 and 64"):
        calibrate([*runs(8), odd])


@pytest.mark.parametrize("text", ["", "[]", '{"schema": "x"}', '{"schema_version": "2.0"}'])
def test_another_document_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(SchemaError, match=r"c\.json"):
        parse_calibration(text, "c.json")
