from __future__ import annotations

import pytest

from ocr_baseline.reports.page.words import safe_link, shortened, with_code


def test_a_long_name_keeps_its_end_from_the_beginning_of_a_part() -> None:
    name = "project.package.models.postprocessing.BoxExtractor.__call__"

    assert shortened(name) == "…models.postprocessing.BoxExtractor.__call__"
    assert shortened(name, 24) == "…BoxExtractor.__call__"
    assert shortened("x" * 100, 10) == "…" + "x" * 9
    assert shortened("short.name") == "short.name"


def test_names_between_backticks_become_code_and_all_else_stays_text() -> None:
    assert with_code("in `a<b` & more") == "in <code>a&lt;b</code> &amp; more"
    assert with_code("one ` alone <i>") == "one ` alone &lt;i&gt;"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc", "https://", "//x", "[", None]
)
def test_only_addresses_of_the_web_are_links(url: str | None) -> None:
    assert safe_link(url) is None


def test_an_address_of_the_web_is_a_link_with_nothing_that_could_leave_it() -> None:
    assert safe_link('https://x.example/a"b c') == "https://x.example/a%22b%20c"
