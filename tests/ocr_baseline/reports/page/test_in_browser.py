"""The page in a real browser: what only one can tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.ocr_baseline.reports.page.pages import PAGES, page_of, trained

if TYPE_CHECKING:
    from tests.ocr_baseline.reports.page.conftest import Visit

pytestmark = pytest.mark.slow

Opens = Callable[..., "Visit"]
OPEN_ALL = "document.querySelectorAll('details').forEach(one => { one.open = true })"


@pytest.fixture(scope="module")
def axe() -> Any:
    return pytest.importorskip("axe_playwright_python.sync_playwright").Axe()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing_complains_of_nothing_and_fits_a_phone(
    visit: Opens, name: str
) -> None:
    seen = visit(PAGES[name](), width=400)
    seen.page.evaluate(OPEN_ALL)

    assert seen.complaints == []
    assert [url for url in seen.requests if not url.startswith("data:")] == []
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [*((name, 1400, "light") for name in PAGES), ("trained", 400, "dark"), ("full", 400, "dark")],
)
def test_axe_finds_nothing(visit: Opens, axe: Any, name: str, width: int, scheme: str) -> None:
    seen = visit(PAGES[name](), width=width, color_scheme=scheme, bypass_csp=True)
    seen.page.evaluate(OPEN_ALL)

    found = axe.run(seen.page).response["violations"]

    assert [(one["id"], one["nodes"][0]["html"], len(one["nodes"])) for one in found] == []


def test_pointing_at_the_timeline_says_what_was_there(visit: Opens) -> None:
    page = visit(page_of(trained(slow_at=70))).page

    plot = page.locator(".plot")
    plot.scroll_into_view_if_needed()
    plot.hover(position={"x": 120, "y": 120})

    told = page.locator(".tip").inner_text()
    assert "epoch 0" in told
    assert "training batch" in told
    assert "process tree" in told


def test_the_timeline_can_be_read_by_keyboard(visit: Opens) -> None:
    page = visit(page_of(trained(slow_at=70))).page
    page.locator(".plot").focus()
    tip = page.locator(".tip")
    assert not tip.is_visible()

    page.keyboard.press("End")
    assert "validation" in tip.inner_text()
    page.keyboard.press("Home")
    page.keyboard.press("PageDown")
    assert "epoch 0" in tip.inner_text()
    assert "training batch" in tip.inner_text()
    page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_a_tile_leads_to_the_section_that_has_more_of_it(visit: Opens) -> None:
    page = visit(page_of(trained())).page

    page.get_by_role("link", name="Validation against training").focus()
    page.keyboard.press("Enter")

    assert page.url.endswith("#validation")
    top = page.locator("#validation").evaluate("one => one.getBoundingClientRect().top")
    assert 0 <= top < 450


def test_one_epoch_can_be_looked_at_and_the_whole_run_again(visit: Opens) -> None:
    page = visit(page_of(trained())).page
    drawn, ticks = page.locator(".zoom").first, page.locator(".ticks")
    whole = ticks.text_content()

    page.get_by_label("Show").select_option("epoch 1")
    start, _, width, _ = map(float, (drawn.get_attribute("viewBox") or "").split())
    assert 24_000 < start < 30_000
    assert 20_000 < width < 28_000
    assert ticks.text_content() != whole

    page.get_by_label("Show").select_option("the whole run")
    assert drawn.get_attribute("viewBox") == "0 0 100000 24"
    assert ticks.text_content() == whole


def test_the_tree_opens_at_once_and_closes_again(visit: Opens) -> None:
    page = visit(PAGES["full"]()).page
    closed = page.locator(".tree details:not([open])").count()
    assert closed > 0

    page.get_by_role("button", name="Open all").click()
    assert page.locator(".tree details:not([open])").count() == 0

    page.get_by_role("button", name="Close all").click()
    assert page.locator(".tree details:not([open])").count() == closed


def test_without_scripts_everything_can_be_read_and_nothing_is_dead(visit: Opens) -> None:
    page = visit(page_of(trained()), java_script_enabled=False).page

    assert page.locator(".dots").count() == 2
    assert page.locator("button, select").count() == 0
    table = page.locator(".rest [aria-label='Environment'] table")
    assert not table.is_visible()
    page.get_by_text("Environment", exact=True).click()
    assert table.is_visible()


def test_what_is_folded_away_is_printed(visit: Opens) -> None:
    page = visit(PAGES["full"](), java_script_enabled=False).page
    table = page.locator(".rest details:not([open]) table").first
    assert not table.is_visible()

    page.emulate_media(media="print")

    assert table.is_visible()


def test_no_paragraph_is_torn_between_two_sheets(visit: Opens) -> None:
    page = visit(PAGES["full"]()).page
    page.emulate_media(media="print")

    style = "all => all.map(one => getComputedStyle(one).breakInside)"
    breaks = page.locator("p").evaluate_all(style)

    assert set(breaks) == {"avoid"}


def test_the_policy_stops_a_script_that_is_not_the_pages_own(visit: Opens) -> None:
    page = PAGES["full"]().replace("</body>", "<script>document.title = 'taken'</script></body>")

    seen = visit(page)

    assert seen.page.title() == "Baseline of receipts-640"
    assert any("Content Security Policy" in complaint for complaint in seen.complaints)
