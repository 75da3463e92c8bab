from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ocr_baseline.reports.text.markdown_text import (
    MarkdownText,
    code,
    escape,
    fenced,
    link,
    prose,
    table,
)
from ocr_baseline.reports.text.plain_text import name_of, single_line

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
TRICKY = st.text(
    st.sampled_from("ab1 \\`*_{}[]()<>#+-!|~&:@$^=.\n\r\t\x1b\u202e\ud800µ") | st.characters(),
    max_size=40,
)


def inline_tokens(markdown: str) -> list[Token]:
    blocks = [token for token in PARSER.parse(markdown) if token.type == "inline"]
    return [child for block in blocks for child in block.children or []]


def shown_text(markdown: str) -> str:
    return "".join(token.content for token in inline_tokens(markdown))


@given(TRICKY)
def test_escaped_text_renders_as_the_text_itself(text: str) -> None:
    tokens = PARSER.parse(escape(text))
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    kinds = {token.type for token in inline_tokens(escape(text))}
    assert kinds <= {"text", "code_inline", "text_special"}
    expected = single_line(text)
    if "|" not in expected:
        assert shown_text(escape(text)).replace(" ", "") == expected.replace(" ", "")


@given(TRICKY)
def test_a_code_span_holds_any_name_on_one_line(name: str) -> None:
    tokens = inline_tokens(code(name))
    assert [token.type for token in tokens] == ["code_inline"]
    assert tokens[0].content == name_of(name).replace("\\|", "\\\u00a6")


@given(st.lists(st.tuples(TRICKY, TRICKY), max_size=4))
def test_no_cell_changes_the_shape_of_its_table(rows: list[tuple[str, str]]) -> None:
    cells = [[code(first), second] for first, second in rows]
    tokens = PARSER.parse(table(["name", "value"], cells, "lr"))
    assert sum(token.type == "tr_open" for token in tokens) == len(rows) + 1
    assert sum(token.type in ("td_open", "th_open") for token in tokens) == 2 * (len(rows) + 1)
    assert tokens[-1].type == "table_close"


def test_a_pipe_in_a_cell_is_shown_as_a_pipe() -> None:
    assert shown_text(table(["a"], [[code("x|y")], ["p|q"]])) == "ax|yp|q"


@given(TRICKY)
def test_a_fence_is_longer_than_any_run_of_backticks_inside(text: str) -> None:
    content = f"```\n{text}\n````"
    tokens = PARSER.parse(fenced(content, "text"))
    assert [token.type for token in tokens] == ["fence"]


def test_prose_keeps_its_code_spans_and_escapes_the_rest() -> None:
    markdown = prose("set `num_workers: 4` to <b>more</b> than *one*")
    assert [token.content for token in inline_tokens(markdown) if token.type == "code_inline"] == [
        "num_workers: 4"
    ]
    assert shown_text(markdown) == "set num_workers: 4 to <b>more</b> than *one*"


def test_what_is_markdown_already_is_not_escaped_again() -> None:
    assert prose(MarkdownText("**bold**")) == "**bold**"


@pytest.mark.parametrize("text", ["see https://evil.example now", "www.evil.example", "ask @team"])
def test_addresses_and_mentions_become_code_so_that_nothing_links(text: str) -> None:
    assert any(token.type == "code_inline" for token in inline_tokens(escape(text)))


def test_a_link_goes_to_a_web_address_only() -> None:
    assert link("run", "https://wandb.example/a/b?x=1") == "[`run`](https://wandb.example/a/b?x=1)"
    for url in (None, "javascript:alert(1)", "file:///etc/passwd", "https://[broken", "//x"):
        assert link("run", url) == "`run`"


def test_a_url_can_not_end_its_link_early() -> None:
    tokens = inline_tokens(link("run", "https://x.example/a) <b> [c](d)\n# e"))
    assert [token.type for token in tokens] == ["link_open", "code_inline", "link_close"]


def test_escape_sequences_and_invisible_characters_are_dropped() -> None:
    assert single_line("\x1b[31mred\x1b[0m\x07 \u202eleft\u200b\r\nnext\x1b]0;title\x07") == (
        "red left next"
    )


def test_a_long_name_keeps_its_beginning() -> None:
    assert name_of("x" * 500) == "x" * 119 + "…"
    assert name_of("\x00") == "(unnamed)"
