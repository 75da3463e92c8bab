from __future__ import annotations

import numpy as np
import pytest

from ocr_baseline.analysis.phases.distributions import block_mean_error, distribution, ratio


def test_a_distribution_holds_the_percentiles_of_its_values() -> None:
    found = distribution(np.arange(1.0, 102.0))
    assert (found.count, found.mean, found.median, found.min, found.max) == (101, 51, 51, 1, 101)
    assert (found.p95, found.p99) == (96, 100)
    assert found.std == pytest.approx(29.3, abs=0.01)


def test_a_distribution_of_nothing_has_a_count_of_zero_and_no_other_value() -> None:
    assert distribution(np.empty(0)).model_dump(exclude_none=True) == {"count": 0}


def test_one_value_has_no_spread() -> None:
    found = distribution(np.asarray([0.5]))
    assert (found.count, found.mean, found.p99, found.std) == (1, 0.5, 0.5, None)


def test_three_values_are_too_few_for_an_error() -> None:
    assert block_mean_error(np.asarray([1.0, 2.0, 3.0])) is None


def test_the_error_of_a_mean_comes_from_the_means_of_blocks() -> None:
    found = block_mean_error(np.asarray([1.0, 3.0, 5.0, 7.0]))  # two blocks: means 2 and 6
    assert found is not None
    assert (found.mean, found.degrees_of_freedom) == (4.0, 1)
    assert found.error == pytest.approx(2.0)  # sqrt(8) / sqrt(2)


def test_a_ratio_without_errors_has_no_interval() -> None:
    found = ratio(3.0, 2.0, None, None)
    assert (found.value, found.low, found.high) == (1.5, None, None)


def test_a_ratio_of_times_that_never_vary_is_its_own_interval() -> None:
    found = ratio(3.0, 2.0, block_mean_error(np.full(9, 3.0)), block_mean_error(np.full(9, 2.0)))
    assert (found.value, found.low, found.high) == (1.5, 1.5, 1.5)


def test_a_ratio_of_nothing_over_something_is_zero_without_an_interval() -> None:
    found = ratio(0.0, 2.0, block_mean_error(np.zeros(9)), block_mean_error(np.full(9, 2.0)))
    assert (found.value, found.low, found.high) == (0.0, None, None)


def autocorrelated(rng: np.random.Generator, runs: int, batches: int, mean: float) -> np.ndarray:
    """Times with a correlation of 0.3 between neighbours, shape (runs, batches)."""
    noise = rng.normal(size=(runs, batches + 20))
    for column in range(1, noise.shape[1]):
        noise[:, column] += 0.3 * noise[:, column - 1]
    values: np.ndarray = mean * (1 + 0.1 * noise[:, 20:])
    return values


def test_the_interval_of_a_ratio_covers_the_true_ratio_in_about_95_of_100_runs() -> None:
    rng = np.random.default_rng(20)
    runs = 1500
    covered = 0
    for above, below in zip(
        autocorrelated(rng, runs, 200, 3.0), autocorrelated(rng, runs, 300, 2.0), strict=True
    ):
        found = ratio(
            float(above.mean()),
            float(below.mean()),
            block_mean_error(above),
            block_mean_error(below),
        )
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 1.5 <= found.high
    assert 0.92 <= covered / runs <= 0.975
