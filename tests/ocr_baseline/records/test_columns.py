from __future__ import annotations

import numpy as np

from ocr_baseline.records.columns import GrowingColumns


def test_a_column_is_zero_where_it_was_not_given() -> None:
    columns = GrowingColumns(np.float32)
    columns.extend({"forward": np.asarray([1, 2], dtype=np.float32)}, 2)
    columns.extend({"backward": np.asarray([3], dtype=np.float32)}, 1)
    columns.extend({}, 1)

    grown = columns.columns()
    assert list(grown) == ["backward", "forward"]
    assert grown["forward"].tolist() == [1, 2, 0, 0]
    assert grown["backward"].tolist() == [0, 0, 3, 0]
    assert grown["forward"].dtype == np.float32


def test_a_column_that_was_never_given_has_no_rows() -> None:
    column = GrowingColumns(np.int64).column("epoch")
    assert column.shape == (0,)
    assert column.dtype == np.int64
