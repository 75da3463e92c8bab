"""Runs that are hard to show, in Markdown and on the screen."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt
from rich.cells import cell_len

from ocr_baseline.reports.run.markdown import render_markdown
from ocr_baseline.reports.run.summary import render_summary
from ocr_baseline.reports.run.terminal import render_terminal
from tests.ocr_baseline.odd_baselines import ARABIC, CHINESE, ODD, failed_in_setup

BESIDE = ("baseline.html", "baseline.json", "metrics.csv", "batches.csv")
LARGE = ("10,000 operations", "everything at once")
NAMES = [pytest.param(name, marks=[pytest.mark.slow] if name in LARGE else []) for name in ODD]


@pytest.mark.parametrize("name", NAMES)
def test_the_markdown_stays_within_30_kb_and_closes_what_it_opens(name: str) -> None:
    text = render_markdown(ODD[name](), beside=BESIDE)
    assert len(text.encode()) <= 30_000
    html = MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(text)
    assert html.count("<details>") == html.count("</details>")
    for title in ("Validation Performance", "Memory Usage", "Identified Bottlenecks"):
        assert f"<h2>{title}</h2>" in html


@pytest.mark.parametrize("width", [60, 100])
@pytest.mark.parametrize("name", NAMES)
def test_the_screen_shows_it_within_its_width(name: str, width: int) -> None:
    document = ODD[name]()
    lines = render_terminal(document, width=width, color=False).splitlines()
    assert max(map(cell_len, lines)) <= width
    box = render_summary(
        document, report="r", command="c", width=width, color=False, is_boxed=True
    ).splitlines()
    assert len(box) <= 12
    assert max(map(cell_len, box)) <= width


@pytest.mark.parametrize("name", ODD)
def test_the_screen_shows_it_on_a_few_screens(name: str) -> None:
    text = render_terminal(ODD[name](), width=100, color=False)
    assert len(text.splitlines()) <= 300


def test_how_a_run_ended_is_told_once() -> None:
    screen = render_terminal(failed_in_setup(), width=100, color=False)
    assert screen.startswith("Baseline of failed.\n")
    assert screen.count("The run failed after 800 ms") == 1
    assert "until then" not in screen


def test_names_of_other_alphabets_are_shown_as_they_are() -> None:
    text = render_markdown(ODD["foreign names"]())
    assert f"`{CHINESE}` takes 46% of validation" in text
    assert f"`{ARABIC}`" in text


def test_a_run_that_failed_in_its_set_up_begins_with_why_nothing_was_measured() -> None:
    first, limit, who = render_markdown(failed_in_setup()).split("\n\n")[1:4]
    assert first == (
        "**Nothing was measured in this run (skipped: the run ended before its first batch).**"
    )
    assert "The run failed after 800 ms (`FileNotFoundError: data/images`)" in limit
    assert who == "Run: `failed`."


@pytest.mark.slow
def test_beyond_the_first_rows_the_report_says_how_many_there_are() -> None:
    operations = render_markdown(ODD["10,000 operations"]())
    assert "19,980 shorter operations are only in `metrics.csv`." in operations
    assert "1,016 more ranks are in `baseline.json`" in render_markdown(ODD["1,024 ranks"]())
