from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_baseline.reports.text.csv_text import MANY_ROWS, number_cells, rows_text, seconds_cells

TIMES_S = st.one_of(
    st.floats(0, 1e9),
    st.floats(0, 1e-3),
    st.integers(0, 10**12).map(lambda time_ns: time_ns / 1e9),
    st.sampled_from([0.0, 1e-9, 9.9999e-05, 0.0001, 0.1, 0.999999999, 1.0, 2.0**21, math.nan]),
    st.floats(-10, -1e-8),
)


@pytest.mark.parametrize("rows", [20, MANY_ROWS])
@given(values_s=st.lists(TIMES_S, min_size=1, max_size=20))
def test_a_time_is_written_as_its_shortest_decimal_to_the_nanosecond(
    rows: int, values_s: list[float]
) -> None:
    column = np.resize(np.asarray(values_s, dtype=np.float64), rows)

    rounded = np.round(column, 9).tolist()
    assert rows_text([seconds_cells(column)]).splitlines() == [
        repr(value) if math.isfinite(value) else "" for value in rounded
    ]


def test_columns_stand_side_by_side_and_an_unknown_number_is_empty() -> None:
    text = rows_text(
        [
            [np.full(3, b"train")],
            number_cells(np.asarray([7, 70, 7])),
            number_cells(np.asarray([4.0, np.nan, 2.5])),
            seconds_cells(np.asarray([0.25, 0.000012, 61.5], dtype=np.float32)),
        ]
    )

    assert text == "train,7,4.0,0.25\ntrain,70,,1.2e-05\ntrain,7,2.5,61.5\n"
