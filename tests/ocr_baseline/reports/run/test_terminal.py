from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from ocr_baseline.reports.run.terminal import render_terminal
from tests.ocr_baseline.examples import EXAMPLES, empty_baseline, full_baseline, hostile_baseline


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_summary_is_the_golden_file(
    name: str, assert_golden: Callable[[str, str], None]
) -> None:
    assert_golden(f"{name}.txt", render_terminal(EXAMPLES[name](), width=100, color=False))


@pytest.mark.parametrize("width", [40, 80, 100, 200])
@pytest.mark.parametrize("name", EXAMPLES)
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    lines = render_terminal(EXAMPLES[name](), width=width, color=False).splitlines()
    assert max(map(len, lines)) <= width


def test_color_comes_on_demand_only() -> None:
    assert "\x1b[" in render_terminal(full_baseline(), width=100, color=True)
    assert "\x1b" not in render_terminal(full_baseline(), width=100, color=False)


def test_the_environment_does_not_change_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    before = render_terminal(full_baseline(), width=100, color=False)
    for name, value in (("FORCE_COLOR", "1"), ("COLUMNS", "60"), ("TERM", "xterm-256color")):
        monkeypatch.setenv(name, value)
    assert render_terminal(full_baseline(), width=100, color=False) == before


def test_a_name_can_not_send_an_escape_sequence_to_the_terminal() -> None:
    text = render_terminal(hostile_baseline(), width=100, color=False)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    text.encode("utf-8")


def test_numbers_keep_their_place_beside_a_long_name() -> None:
    text = render_terminal(hostile_baseline(), width=80, color=False)
    assert re.search(r"… +55\.0% +#+\.+ +9\.00 s", text)


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_narrow_terminal_shows_every_number_of_a_line_whole(width: int) -> None:
    text = render_terminal(full_baseline(), width=width, color=False)
    training, operations = text.partition("Where training time went")[2].split("Slowest operations")
    assert re.search(r"line +share +total +per batch\n", training)
    assert re.search(r"backward +44\.0% +#*\.* +4\.93 s +82\.1 ms\n", training)
    assert "2 shorter lines are in the report\n" in training
    assert re.search(r"match +validation.* 4\.90 s +4\.90 s", operations)


def test_a_place_of_a_function_can_not_send_an_escape_sequence_either() -> None:
    text = render_terminal(hostile_baseline(), width=200, color=False)
    assert "www.evil.example:31" in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


def test_nothing_measured_shows_no_table_of_zeros() -> None:
    text = render_terminal(empty_baseline(), width=100, color=False)
    assert "Nothing was measured" in text
    assert not re.search(r"\b0 (s|ms|B|%)", text)
