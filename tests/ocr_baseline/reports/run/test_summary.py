from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from rich.cells import cell_len

from ocr_baseline.model.document import Baseline
from ocr_baseline.reports.registry import SUMMARY
from ocr_baseline.reports.run.summary import render_summary
from tests.ocr_baseline.examples import EXAMPLES, full_baseline


def shown(baseline: Baseline, *, width: int = 100, color: bool = False) -> str:
    return render_summary(
        baseline,
        report="outputs/run/baseline/baseline.md",
        command="ocr-baseline show outputs/run",
        width=width,
        color=color,
        is_boxed=True,
    )


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_box_is_the_golden_file(name: str, assert_golden: Callable[[str, str], None]) -> None:
    assert_golden(f"{name}.box.txt", shown(EXAMPLES[name]()))


@pytest.mark.parametrize("width", [20, 40, 80, 100, 300])
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_box_has_at_most_twelve_lines_and_fits_the_screen(name: str, width: int) -> None:
    lines = shown(EXAMPLES[name](), width=width).splitlines()
    assert len(lines) <= 12
    assert max(map(cell_len, lines)) <= max(40, min(width, 100))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", "".join(lines))


def test_a_path_and_a_command_are_never_cut() -> None:
    path = f"outputs/{'x' * 200}/baseline.md"
    text = SUMMARY(
        full_baseline(), report=path, command=f"show {path}", width=60, color=False, is_boxed=True
    )
    assert f"Report: {path}\n" in text
    assert f"Next: show {path}\n" in text


def test_color_comes_on_demand_only() -> None:
    assert "\x1b[" in shown(full_baseline(), color=True)
    assert "\x1b" not in shown(full_baseline())
