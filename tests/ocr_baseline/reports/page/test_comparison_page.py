from __future__ import annotations

from collections.abc import Callable

import pytest

from ocr_baseline.comparison.comparison import Comparison, compare
from ocr_baseline.reports.comparison import wording
from ocr_baseline.reports.page.comparison_page import render_comparison_page
from tests.ocr_baseline.comparison.measured_runs import LINES_S, run
from tests.ocr_baseline.reports.comparison.test_renderers import (
    hostile,
    other_machine,
    slower_metrics,
)
from tests.ocr_baseline.reports.page.pages import Elements


def one_against_one() -> Comparison:
    return compare([run(0)], [run(1, lines_s={**LINES_S, "forward": 0.2})])


@pytest.mark.parametrize("make", [slower_metrics, other_machine, hostile, one_against_one])
def test_the_page_of_a_comparison_is_whole_and_begins_with_its_headline(
    make: Callable[[], Comparison],
) -> None:
    page = render_comparison_page(make())

    elements = Elements(page)
    (verdict,) = elements.of("p", "verdict")
    assert verdict.text.split()[:2] == wording.headline(make()).split()[:2]
    assert "<script>alert" not in page
    assert "\x1b" not in page
    assert len(page.encode()) < 100 * 1024


def test_every_metric_has_a_row_with_its_change_and_those_with_a_ratio_a_place_on_the_axis() -> (
    None
):
    comparison = slower_metrics()
    elements = Elements(render_comparison_page(comparison))

    rows = [one.text for one in elements.of("tr")]
    for metric in comparison.metrics:
        assert any(metric.metric.label in row and metric.verdict in row for row in rows)
    drawn = [one for one in comparison.metrics if one.metric.scale == "log"]
    dots = [float((one.attributes["cx"] or "").rstrip("%")) for one in elements.of("circle")]
    assert [place > 50 for place in dots] == [(one.change or 0) > 0 for one in drawn]
