"""Runs of the same code on a screen."""

from __future__ import annotations

from collections.abc import Callable

from ocr_baseline.reports.comparison.repeated import render_repeated_terminal
from tests.ocr_baseline.comparison.measured_runs import IDENTITY, run


def test_repeated_runs_have_a_mean_and_a_spread_for_each_metric(
    assert_golden: Callable[[str, str], None],
) -> None:
    runs = [run(number, factor=1 + number / 50) for number in range(5)]
    assert_golden("repeated.txt", render_repeated_terminal(runs, width=100, color=False))


def test_a_single_run_has_no_spread() -> None:
    text = render_repeated_terminal([run(0)], width=100, color=False)
    row = next(line for line in text.splitlines() if line.startswith("train: median batch"))
    assert row.split()[3:] == ["100", "ms", "-", "100", "ms", "100", "ms", "1"]


def test_runs_that_are_not_of_the_same_kind_are_told() -> None:
    other = run(1, identity={**IDENTITY, "num_workers": 4})
    text = render_repeated_terminal([run(0), other], width=100, color=False)
    assert "run-1 isn't like the first run: num_workers is 4, not 1." in text


def test_runs_without_any_metric_are_told(assert_golden: Callable[[str, str], None]) -> None:
    nothing = run(0, phases=(), rss_bytes=None)
    assert_golden(
        "repeated_nothing.txt", render_repeated_terminal([nothing], width=60, color=False)
    )
