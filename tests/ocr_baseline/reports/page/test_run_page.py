from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.reports.page.run_page import render_run_page
from ocr_baseline.reports.story.parts import Section
from ocr_baseline.reports.story.tell import tell
from ocr_baseline.reports.text.tables import Bar, Table
from tests.ocr_baseline.examples import full_baseline, hostile_baseline, recorded_run
from tests.ocr_baseline.odd_baselines import ODD, failed_in_setup, three_logged_numbers
from tests.ocr_baseline.reports.page.pages import PAGES, Elements, page_of, trained

KIB = 1024


def tables_of(sections: Iterator[Section] | tuple[Section, ...]) -> Iterator[Table]:
    for section in sections:
        yield from (block for block in section.blocks if isinstance(block, Table))
        yield from tables_of(section.parts)


def words(text: str) -> str:
    return " ".join(text.replace("`", "").split())


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_whole_and_loads_nothing(name: str) -> None:
    page = PAGES[name]()

    elements = Elements(page)
    assert {one.tag for one in elements.found}.isdisjoint({"img", "iframe", "object", "base"})
    for one in elements.found:
        assert "src" not in one.attributes
        assert "style" not in one.attributes
        assert not any(attribute.startswith("on") for attribute in one.attributes)
    links = [one.attributes["href"] or "" for one in elements.found if "href" in one.attributes]
    assert all(link.startswith(("data:,", "https://", "./", "#")) for link in links)
    ids = {one.attributes.get("id") for one in elements.found}
    assert {link[1:] for link in links if link.startswith("#")} <= ids
    assert len(page.encode()) <= 150 * KIB


def test_the_page_tells_the_story_in_its_order() -> None:
    story = tell(full_baseline())

    text = words("".join(one.text for one in Elements(render_run_page(full_baseline())).of("body")))

    told = [story.verdict, *(cause.title for cause in story.causes)]
    places = [text.index(words(sentence)) for sentence in told]
    assert places == sorted(places)
    for fact in story.facts[:4]:
        assert fact.label in text
        assert words(fact.text) in text


def test_every_table_of_the_report_stands_on_the_page() -> None:
    baseline = full_baseline()

    shown = {words(one.text) for one in Elements(render_run_page(baseline)).of("table")}

    for table in tables_of(tell(baseline).sections):
        cells = [cell for row in table.rows for cell in row if not isinstance(cell, Bar)]
        expected = words("".join([*filter(None, table.headers), *cells])).replace(" ", "")
        assert any(expected in one.replace(" ", "") for one in shown), table.headers


def test_only_the_pages_own_style_and_script_may_act() -> None:
    elements = Elements(PAGES["trained"]())

    (policy,) = [
        one.attributes["content"] or ""
        for one in elements.of("meta")
        if one.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    allowed = set(re.findall(r"'sha256-([^']+)'", policy))
    own = elements.of("style") + [
        one for one in elements.of("script") if one.attributes.get("type") is None
    ]
    digests = [hashlib.sha256(one.text.encode()).digest() for one in own]
    assert {base64.b64encode(digest).decode() for digest in digests} == allowed
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_names_from_outside_stay_text() -> None:
    page = render_run_page(hostile_baseline(), recorded_run())

    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
    assert "\x1b" not in page


def test_equal_documents_give_equal_pages() -> None:
    run = trained()
    baseline = analyze(run)

    assert render_run_page(baseline.model_copy(deep=True), run) == render_run_page(baseline, run)


def test_every_chart_says_in_words_what_it_shows() -> None:
    elements = Elements(PAGES["trained"]())

    plots = elements.of("svg", "plot")
    assert len(plots) == 1
    for plot in plots:
        assert plot.attributes["role"] == "img"
        assert "240 training batches" in (plot.attributes["aria-label"] or "")
    others = [one for one in elements.of("svg") if one.attributes.get("class") in ("bar", "axis")]
    assert all(one.attributes["aria-hidden"] == "true" for one in others)


def test_every_batch_is_a_dot_at_its_start() -> None:
    run = trained(epochs=2, batches=10)
    table = run.stages[0].batches
    assert table is not None
    elements = Elements(page_of(run))

    (dots,) = elements.of("path", "stage-train")[1:]
    steps = np.array(re.findall(r"[mM](-?\d+) (-?\d+)h0", dots.attributes["d"] or ""), dtype=int)
    end_s = run.info.duration_s or 0.0
    assert steps[:, 0].cumsum() / 1e5 == pytest.approx(table.start_s / end_s, abs=1e-5)
    heights = 1.0 - steps[:, 1].cumsum() / 720
    expected = table.duration_s / table.duration_s.max()
    assert heights / heights.max() == pytest.approx(expected, abs=0.005)


def test_the_script_is_given_the_batches_that_are_drawn() -> None:
    run = trained(epochs=2, batches=10)
    table = run.stages[0].batches
    assert table is not None

    (data,) = [one.text for one in Elements(page_of(run)).of("script") if one.attributes]
    series = json.loads(data)["series"][0]

    assert np.cumsum(series["t"]) == pytest.approx(table.start_s * 1e3, abs=0.6)
    assert series["d"] == pytest.approx(table.duration_s * 1e3, rel=0.01)


@pytest.mark.parametrize(
    ("batches", "limit"),
    [(160, 150), (10_000, 400), pytest.param(170_000, 400, marks=pytest.mark.slow)],
)
def test_a_page_stays_light_however_long_the_run(batches: int, limit: int) -> None:
    assert len(page_of(trained(epochs=4, batches=batches)).encode()) <= limit * KIB


@pytest.mark.slow
def test_a_page_of_a_thousand_epochs_stays_light() -> None:
    assert len(page_of(trained(epochs=1000, batches=4)).encode()) <= 400 * KIB


def test_a_batch_that_stands_out_is_numbered_and_named() -> None:
    elements = Elements(page_of(trained(epochs=2, slow_at=70)))

    (marked,) = elements.of("ol", "standouts")
    assert "Training batch 10 of epoch 1: 3.00 s, 2.10 s of it in forward" in words(marked.text)
    (mark,) = elements.of("circle")
    assert mark.attributes["r"] == "8"


def test_of_very_many_batches_the_shortest_and_the_longest_are_drawn() -> None:
    run = trained(epochs=1, batches=30_000, slow_at=15_000)
    table = run.stages[0].batches
    assert table is not None
    (data,) = [one.text for one in Elements(page_of(run)).of("script") if one.attributes]
    series = json.loads(data)["series"][0]

    assert sum(series["n"]) == 30_000
    assert max(series["high"]) == pytest.approx(3000.0)
    assert min(series["low"]) == pytest.approx(1e3 * table.duration_s.min(), rel=0.01)


def test_a_run_without_memory_or_batches_has_only_the_lane_that_it_has() -> None:
    run = trained()

    without_memory = page_of(replace(run, memory=None))
    without_batches = page_of(replace(run, stages=()))

    assert 'class="curve' not in without_memory
    assert 'class="dots' in without_memory
    assert 'class="curve' in without_batches
    assert 'class="dots' not in without_batches


def test_ranks_are_dots_from_the_first_to_the_last() -> None:
    elements = Elements(PAGES["1,024 ranks"]())

    (figure,) = elements.of("figure", "ranks")
    told = [one.attributes.get("aria-label") or "" for one in elements.of("svg")]
    assert "rank 1023" in figure.text
    assert any(
        "own work per batch from 58.3 ms (rank 1023) to 62.5 ms (rank 0)" in one for one in told
    )


@pytest.mark.parametrize("duration_s", [None, 0.0, float("inf"), float("nan")])
def test_a_run_of_strange_times_still_has_a_page(duration_s: float | None) -> None:
    run = trained(epochs=1, batches=10)
    table = run.stages[0].batches
    assert table is not None
    assert run.memory is not None
    nothing = np.zeros_like(table.duration_s)
    stage = replace(run.stages[0], batches=replace(table, duration_s=nothing, lines_s={}))
    memory = replace(
        run.memory,
        tree_rss_bytes=np.full_like(run.memory.at_s, np.nan),
        main_rss_bytes=np.full_like(run.memory.at_s, np.inf),
        accelerator_allocated_bytes=np.zeros_like(run.memory.at_s),
    )
    strange = replace(
        run, info=replace(run.info, duration_s=duration_s), stages=(stage,), memory=memory
    )

    Elements(render_run_page(full_baseline(), strange))


def test_a_document_alone_has_no_timeline_and_the_rest_of_the_page() -> None:
    run = trained()

    page = render_run_page(analyze(run))

    assert 'id="timeline-data"' not in page
    assert 'class="card tree"' in page
    assert 'class="card waterfall"' in page


def titles_of(page: Elements) -> list[str]:
    return [one.text for one in page.of("summary")]


def test_a_run_without_a_number_has_no_tiles_and_no_section_that_only_says_so() -> None:
    page = Elements(render_run_page(failed_in_setup()))

    assert page.of("dl", "tiles") == []
    assert titles_of(page) == ["What was not measured", "How it was measured", "Environment"]
    (body,) = page.of("body")
    assert body.text.count("The run failed after 800 ms") == 1
    assert "until then" not in body.text


def test_a_run_whose_time_is_not_split_is_not_called_clear() -> None:
    page = Elements(render_run_page(three_logged_numbers()))

    (card,) = page.of("p", "clear")
    assert "empty" in (card.attributes["class"] or "").split()
    assert card.text.startswith("No findings: the time of this run isn't split into lines")


@pytest.mark.parametrize("name", ODD)
@pytest.mark.slow
def test_no_run_makes_a_page_above_400_kb(name: str) -> None:
    assert len(render_run_page(ODD[name]()).encode()) <= 400_000
