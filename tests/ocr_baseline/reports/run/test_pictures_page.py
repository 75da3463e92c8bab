from __future__ import annotations

import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser

import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.offline import get_plotlyjs

from ocr_baseline.errors import BaselineError
from ocr_baseline.model.document import Baseline
from ocr_baseline.reports.run import charts
from ocr_baseline.reports.run.pictures_page import render_pictures_page
from tests.ocr_baseline.analysis.builders import memory_samples
from tests.ocr_baseline.examples import (
    all_missing_baseline,
    empty_baseline,
    full_baseline,
    hostile_baseline,
    one_batch_baseline,
    recorded_run,
)

DRAWN_FROM_A_DOCUMENT = [
    "Where the time went",
    "From a training sample to a validation sample",
    "What the findings would save",
]
DRAWN_FROM_A_RUN = ["Batch times over the run", "Memory over the run"]


class Elements(HTMLParser):
    """The elements of a page, each with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def own_part(page: str) -> str:
    """The page without plotly's own script."""
    assert get_plotlyjs() in page
    return page.replace(get_plotlyjs(), "")


def titles(page: str) -> list[str]:
    return re.findall(r"<h2>(.*?)</h2>", page)


def drawn(figure: go.Figure | None) -> go.Figure:
    assert figure is not None
    return figure


def test_a_page_has_a_picture_for_all_that_was_measured_and_names_what_was_not() -> None:
    page = own_part(render_pictures_page(full_baseline()))

    assert titles(page) == [*DRAWN_FROM_A_DOCUMENT, "The run"]
    assert page.count("Plotly.newPlot") == len(DRAWN_FROM_A_DOCUMENT)
    assert f"has no data for it: {', '.join(DRAWN_FROM_A_RUN)}." in page


def test_a_page_of_the_run_itself_draws_what_happened_over_time_too() -> None:
    page = own_part(render_pictures_page(full_baseline(), recorded_run()))

    assert titles(page) == [*DRAWN_FROM_A_DOCUMENT, DRAWN_FROM_A_RUN[0], "The run"]
    assert f"has no data for it: {DRAWN_FROM_A_RUN[1]}." in page


@pytest.mark.parametrize("make", [empty_baseline, all_missing_baseline, one_batch_baseline])
def test_a_page_of_next_to_nothing_says_what_it_lacks(make: Callable[[], Baseline]) -> None:
    page = own_part(render_pictures_page(make()))

    assert "From a training sample to a validation sample" not in titles(page)
    assert "Not drawn" in page


def test_names_from_outside_stay_text_in_a_page_that_loads_nothing() -> None:
    page = own_part(render_pictures_page(hostile_baseline()))

    elements = Elements()
    elements.feed(page)
    assert {tag for tag, _ in elements.found} <= {
        *("html", "head", "meta", "title", "style", "script", "body"),
        *("h1", "h2", "p", "div", "dl", "dt", "dd", "code"),
    }
    assert all({"src", "href", "onerror"}.isdisjoint(found) for _, found in elements.found)
    assert "default-src 'none'" in page
    assert "<img" not in page


def test_the_bar_of_a_phase_is_as_long_as_its_whole_time() -> None:
    figure = drawn(charts.time_by_line(full_baseline()))

    for position, name in enumerate(figure.data[0].y):
        assert sum(bar.x[position] for bar in figure.data) == pytest.approx(100.0), name
    assert figure.data[0].y[:2] == ("Training", "Validation")
    assert figure.data[-1].name == "other lines"


def test_the_waterfall_leads_from_a_training_sample_to_a_validation_sample() -> None:
    baseline = full_baseline()
    train, validation = baseline.phase("train"), baseline.phase("validation")
    assert train is not None
    assert train.sample_time_s is not None
    assert validation is not None
    assert validation.sample_time_s is not None

    (steps,) = drawn(charts.waterfall(baseline)).data

    assert steps.measure[0] == "absolute"
    assert steps.measure[-1] == "total"
    assert steps.x[0] == pytest.approx(1e3 * train.sample_time_s)
    assert sum(steps.x[:-1]) == pytest.approx(1e3 * validation.sample_time_s, rel=1e-3)


def test_savings_are_drawn_the_largest_first_and_findings_without_one_are_not() -> None:
    (bars,) = drawn(charts.savings(full_baseline())).data

    assert list(bars.x) == sorted(bars.x, reverse=True)
    assert all(saving_s > 0 for saving_s in bars.x)


def test_every_batch_is_a_point_at_its_start() -> None:
    run = recorded_run(batches=5)
    table = run.stages[0].batches
    assert table is not None

    points = drawn(charts.batch_times(run)).data[0]

    assert np.asarray(points.x) == pytest.approx(table.start_s)
    assert np.asarray(points.y) == pytest.approx(table.duration_s)


def test_of_very_many_values_the_extremes_are_drawn_in_order() -> None:
    values = np.random.default_rng(0).normal(size=100 * charts.MAX_POINTS)

    rows = charts.drawn_rows(values)

    assert len(rows) <= charts.MAX_POINTS
    assert (np.diff(rows) > 0).all()
    assert {int(values.argmin()), int(values.argmax())} <= set(rows.tolist())


def test_memory_is_drawn_for_what_was_read() -> None:
    samples = memory_samples([2.0**30, 2.0**31], [np.nan, np.nan])

    (line,) = drawn(charts.memory_over_time(samples)).data

    assert (line.name, list(line.y)) == ("main process", [1.0, 2.0])
    assert charts.memory_over_time(None) is None


def test_without_plotly_there_is_an_error_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "plotly.offline", None)

    with pytest.raises(BaselineError, match=r"pip install 'ocr-baseline\[pictures\]'"):
        render_pictures_page(full_baseline())
