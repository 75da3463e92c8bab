"""Absolute limits."""

from __future__ import annotations

import pytest

from ocr_baseline.comparison.check import check_budgets, parse_budgets
from ocr_baseline.errors import ComparisonError
from tests.ocr_baseline.comparison.measured_runs import run

TEXT = """
[validation_over_training]
max = 2

[train.throughput]
min = "50 samples/s"

[train.data_wait]
max = "5 %"
level = "warn"

[memory.peak_rss]
max = "2 GiB"
level = "off"
"""


def test_budgets_are_limits_in_the_metrics_own_unit() -> None:
    budgets = parse_budgets(TEXT, "budgets.toml")
    assert [(b.metric.key, b.max, b.min, b.level) for b in budgets] == [
        ("validation_over_training", 2.0, None, "error"),
        ("train.throughput", None, 50.0, "error"),
        ("train.data_wait", 0.05, None, "warn"),
        ("memory.peak_rss", 2 * 1024.0**3, None, "off"),
    ]


def test_a_budget_is_held_against_the_median_of_the_runs() -> None:
    runs = [run(0), run(1, factor=1.1), run(2, factor=9.0)]
    results = check_budgets(parse_budgets(TEXT, "budgets.toml"), runs)
    ratio, throughput, wait = results
    assert (ratio.value, ratio.is_met) == (None, None)
    assert throughput.value == pytest.approx(40 / 1.1)
    assert throughput.is_met is False
    assert len(throughput.values) == 3
    assert wait.is_met is False


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("x = ", "not TOML"),
        ("", "holds no budget"),
        ("[train.batch_tme]\nmax = 1", "did you mean train.batch_time"),
        ("[train.batch_time]\nlevel = 'warn'", "neither max nor min"),
        ("[train.batch_time]\nmax = 1\nlevel = 'loud'", "'loud'"),
        ("[train.batch_time]\nmax = 1\nmaximum = 2", "'maximum'"),
        ("[train.batch_time]\nmax = '5 MiB'", "measured in s"),
        ("[train.batch_time]\nmax = [1]", "not a limit"),
        ("[train.batch_time]\nmax = true", "not a limit"),
        ("[train.batch_time]\nmax = 'soon'", "isn't a quantity"),
        ("train = 3", "not a table"),
    ],
)
def test_a_wrong_budget_is_refused_with_file_and_reason(text: str, part: str) -> None:
    with pytest.raises(ComparisonError, match=part) as error:
        parse_budgets(text, "budgets.toml")
    assert str(error.value).startswith("budgets.toml")
