from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_baseline.analysis.phases.batch_statistics import (
    RULE,
    RULE_TOO_FEW,
    WARMUP_BATCHES,
    rule_applied,
    steady_mask,
)


def mask_of(epochs: list[int]) -> list[bool]:
    """The mask of a stage whose epochs have these numbers of batches."""
    positions = np.arange(sum(epochs), dtype=np.int64)
    starts = np.cumsum([0, *epochs[:-1]])
    return list(steady_mask(positions, np.isin(positions, starts)))


@pytest.mark.parametrize(
    ("epochs", "set_aside"),
    [
        ([10], [0, 1, 2]),
        ([5, 5], [0, 1, 2, 5]),
        ([2, 2, 2], [0, 1, 2, 4]),
        ([4], [0, 1, 2]),
        ([1, 1, 1, 2], [0, 1, 2, 3]),
    ],
)
def test_the_first_batches_of_a_stage_and_the_first_of_each_epoch_are_set_aside(
    epochs: list[int], set_aside: list[int]
) -> None:
    assert [n for n, is_steady in enumerate(mask_of(epochs)) if not is_steady] == set_aside


@pytest.mark.parametrize("epochs", [[1], [2], [3], [1, 1, 1, 1]])
def test_where_every_batch_would_be_set_aside_none_is(epochs: list[int]) -> None:
    assert all(mask_of(epochs))


def test_no_batches_have_no_mask() -> None:
    assert steady_mask(np.empty(0, np.int64), np.empty(0, np.bool_)).shape == (0,)


def test_the_rule_that_was_applied_is_named() -> None:
    assert rule_applied(np.array([False, True])) == RULE
    assert rule_applied(np.array([True, True])) == RULE_TOO_FEW
    assert str(WARMUP_BATCHES) in RULE


def test_a_stage_that_goes_on_keeps_its_later_epochs_batches() -> None:
    positions = np.array([10, 11, 12], dtype=np.int64)

    mask = steady_mask(positions, np.array([True, False, False]))

    assert mask.tolist() == [False, True, True]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6))
def test_some_batch_is_always_steady(epochs: list[int]) -> None:
    mask = mask_of(epochs)

    assert any(mask)
    assert len(mask) == sum(epochs)
