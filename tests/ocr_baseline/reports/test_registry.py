from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

import ocr_baseline.reports
from ocr_baseline.comparison.check import Check
from ocr_baseline.comparison.comparison import compare
from ocr_baseline.errors import BaselineError
from ocr_baseline.model.document import Baseline, Finding
from ocr_baseline.reports import registry
from ocr_baseline.reports.registry import TERMINAL, Renderer, render
from ocr_baseline.reports.sweep import SweepJob
from tests.ocr_baseline.comparison.measured_runs import run
from tests.ocr_baseline.examples import full_baseline

COMPARISON = compare([run(0)], [run(1)])
CASES: dict[str, tuple[Mapping[str, Renderer], tuple[object, ...]]] = {
    "run": (registry.RUN, (full_baseline(),)),
    "comparison": (registry.COMPARISON, (COMPARISON,)),
    "check": (registry.CHECK, (Check(comparison=COMPARISON),)),
    "trend": (registry.TREND, ([], [])),
    "sweep": (registry.SWEEP, ([SweepJob(name="0", baseline=full_baseline())],)),
}
ALONE = (
    registry.REPEATED,
    registry.SPEEDSCOPE,
    registry.SUMMARY,
    registry.UNREPORTED,
    registry.PROGRESS,
    registry.PROGRESS_LINE,
)
OPTIONS: dict[tuple[str, str], dict[str, bool]] = {("check", "json"): {"strict": True}}


@pytest.mark.parametrize("kind", CASES)
def test_every_row_leads_to_a_renderer_that_returns_text(kind: str) -> None:
    formats, subject = CASES[kind]
    for name, renderer in formats.items():
        assert renderer(*subject, **OPTIONS.get((kind, name), {})).endswith("\n")


def test_every_renderer_of_the_package_has_a_row() -> None:
    places = {one.place for formats, _ in CASES.values() for one in formats.values()}
    places |= {one.place for one in ALONE}
    root = ocr_baseline.reports.__name__ + "."
    for found in pkgutil.walk_packages(ocr_baseline.reports.__path__, root):
        module = importlib.import_module(found.name)
        for name in vars(module):
            if name.startswith("render_") and getattr(module, name).__module__ == found.name:
                assert f"{found.name.removeprefix(root)}:{name}" in places or "series" in name


def test_no_two_formats_claim_the_same_suffix_or_file() -> None:
    for formats, _ in CASES.values():
        for claim in ("suffix", "file"):
            claimed = [getattr(one, claim) for one in formats.values() if getattr(one, claim)]
            assert len(set(claimed)) == len(claimed)


def test_the_suffix_of_a_file_chooses_its_format() -> None:
    assert registry.format_of(registry.COMPARISON, Path("x.md").suffix) == "markdown"
    assert registry.format_of(registry.COMPARISON, Path("x.log").suffix) is None


def test_render_takes_a_baseline_a_comparison_or_a_check() -> None:
    assert render(full_baseline()).startswith("# ")
    assert '"ocr-baseline-comparison"' in render(COMPARISON, "json")
    assert "\x1b[" in render(Check(comparison=COMPARISON), "terminal", color=True)


def test_a_format_that_does_not_exist_is_an_error_that_names_those_that_do() -> None:
    with pytest.raises(BaselineError, match=r"no format 'pdf' for a Baseline: only .*markdown"):
        render(full_baseline(), "pdf")  # type: ignore[arg-type]  # refused by types, too
    with pytest.raises(TypeError, match="can't render a str"):
        render("baseline.json")  # type: ignore[arg-type]  # refused by types, too


def test_a_renderer_is_imported_when_it_is_used() -> None:
    missing = replace(registry.RUN["json"], place="run.nowhere:render")
    with pytest.raises(ModuleNotFoundError):
        missing(full_baseline())


@pytest.mark.parametrize("name", [TERMINAL, "markdown", "html"])
def test_a_saving_that_can_only_be_smaller_is_said_to_be_the_most(name: str) -> None:
    most, certain = (
        registry.RUN[name](baseline_saving(saving_s=4.0, is_the_most=is_the_most))
        for is_the_most in (True, False)
    )

    assert "at most 4.00 s" in most
    assert "at most 4.00 s" not in certain


def baseline_saving(*, saving_s: float, is_the_most: bool) -> Baseline:
    cause = Finding(
        id="a",
        severity="high",
        title="Cause a",
        evidence=[],
        estimated_saving_s=saving_s,
        share_of_run=0.2,
        saving_is_the_most=is_the_most,
        advice="Do this.",
    )
    return full_baseline().model_copy(update={"findings": [cause]})
