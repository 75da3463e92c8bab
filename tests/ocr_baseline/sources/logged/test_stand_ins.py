"""Values that stores keep in place of a number are no measurements."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from ocr_baseline.sources.logged.rows import read_rows


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (sys.float_info.max, "Infinity"),
        (float(np.finfo(np.float32).max), "Infinity"),
        ("inf", "Infinity"),
        ("NaN", "NaN"),
        (1e38, "a number beyond all runs"),
        (2.0**60, "a number beyond all runs"),
        (-1.0, "a negative number"),
    ],
)
def test_what_no_run_can_have_taken_is_left_out_and_told(value: object, told: str) -> None:
    seconds = (10.0, value, 10.0)
    key = "performance/val_epoch_time"
    reading = read_rows({"epoch": epoch, key: logged} for epoch, logged in enumerate(seconds))

    (record,) = reading.stages
    assert [epoch.epoch_time_s for epoch in record.reported] == [10.0, None, 10.0]
    details = [entry.detail for entry in reading.missing if entry.reason == "failed"]
    assert details == [f"{key} was logged as {told} in 1 of 3 epochs"]
