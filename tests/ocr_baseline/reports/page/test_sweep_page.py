from __future__ import annotations

from ocr_baseline.reports.page.sweep_page import render_sweep_page
from ocr_baseline.reports.sweep import SweepJob
from tests.ocr_baseline.examples import HOSTILE_NAME, full_baseline, one_batch_baseline
from tests.ocr_baseline.reports.page.pages import Elements


def test_each_job_leads_to_its_page_and_shows_its_times() -> None:
    jobs = [
        SweepJob(name="0", baseline=full_baseline(), page="0/baseline/baseline.html"),
        SweepJob(name="1", overrides=("data.num_workers=1",), baseline=one_batch_baseline()),
        SweepJob(name="2", problem="it left no records"),
    ]

    elements = Elements(render_sweep_page(jobs))

    links = [one.attributes["href"] for one in elements.of("a")]
    assert links == ["./0/baseline/baseline.html"]
    rows = elements.of("div", "job")
    assert "44.1 ms" in rows[0].text
    assert "data.num_workers=1" in rows[1].text
    assert len(rows) == 2
    assert "2 has no baseline: it left no records." in elements.of("main")[0].text
    widths = [one.attributes["width"] for one in elements.of("rect")]
    assert "100%" in widths


def test_names_of_jobs_stay_text() -> None:
    job = SweepJob(name=HOSTILE_NAME, baseline=full_baseline(), page=f"{HOSTILE_NAME[:20]}/x.html")

    page = render_sweep_page([job])

    assert "<img src=x" not in page
    assert "\x1b" not in page


def test_a_sweep_that_measured_nothing_has_a_table_alone() -> None:
    elements = Elements(render_sweep_page([SweepJob(name="0", problem="it left no records")]))

    assert elements.of("div", "job") == []
    assert "no baseline" in elements.of("table")[0].text
