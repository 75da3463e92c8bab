from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike

from ocr_baseline.analysis.replay.delivery import Delivery, split_delivery


def split(asked_s: ArrayLike, made_s: ArrayLike, there_s: ArrayLike, workers: int = 1) -> Delivery:
    asked, made, there = (
        np.asarray(column, dtype=np.float64) for column in (asked_s, made_s, there_s)
    )
    return split_delivery(asked_s=asked, made_s=made, there_s=there, workers=workers)


def test_where_every_batch_was_asked_for_early_all_of_it_is_delivery() -> None:
    found = split([0, 4, 8], [3, 6, 9], [4, 7, 10.5])
    assert found.deliver_s == pytest.approx([1, 1, 1.5])
    assert found.ready_s.tolist() == []
    assert found.receive_s == pytest.approx([0, 0, 0])


def test_a_batch_that_had_long_been_made_shows_what_the_main_thread_needs() -> None:
    # the last was made 5 s before it was asked for, and was still received for 0.25 s
    found = split([0, 4, 14], [3, 6, 9], [4, 7, 14.25])
    assert found.deliver_s == pytest.approx([0.75, 0.75, 0.75])
    assert found.receive_s == pytest.approx([0.25, 0.25, 0.25])
    assert found.ready_s == pytest.approx([0.25])


def test_where_no_batch_was_asked_for_early_nothing_is_known_to_be_delivery() -> None:
    found = split([10, 20], [1, 2], [10.5, 20.5])
    assert found.deliver_s == pytest.approx([0, 0])
    assert found.receive_s == pytest.approx([0.5, 0.5])
    assert found.ready_s == pytest.approx([0.5, 0.5])


def test_a_batch_asked_for_during_its_delivery_is_waited_for_to_the_end_of_it() -> None:
    # the second was made at 6, asked for at 6.5 and there at 7: a second like the first
    found = split([0, 6.5], [3, 6], [4, 7])
    assert found.deliver_s == pytest.approx([1, 1])
    assert found.receive_s == pytest.approx([0, 0])


def test_a_worker_delivers_a_batch_after_the_one_before() -> None:
    # made at 3 and 4, there at 5 and 7: two seconds each, the second after the first
    assert split([0, 3], [3, 4], [5, 7]).deliver_s == pytest.approx([2, 2])
    # two workers deliver at the same time
    assert split([0, 3], [3, 4], [5, 7], workers=2).deliver_s == pytest.approx([2, 3])
