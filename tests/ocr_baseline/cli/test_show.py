"""`ocr-baseline show` and the runs that a report's folder keeps."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ocr_baseline.cli import main
from ocr_baseline.reports.run.json import render_json
from tests.ocr_baseline.examples import full_baseline


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(folder: str, name: str, *, at_s: int) -> None:
    document = full_baseline()
    run = document.model_copy(update={"run": document.run.__class__(name=name, source="recorder")})
    path = Path(folder, "baseline.json")
    path.parent.mkdir(parents=True)
    path.write_text(render_json(run), encoding="utf-8")
    os.utime(path, (at_s, at_s))


def test_a_kept_run_is_shown_by_its_folder(capsys: pytest.CaptureFixture[str]) -> None:
    write("baseline", "here", at_s=1000)
    write("baseline/earlier/2026-03-01_12-00-05", "an earlier one", at_s=2000)
    assert main(["show", "baseline/earlier"]) == 0
    assert capsys.readouterr().out.startswith("Baseline of an earlier one.")


def test_the_newest_run_is_none_that_was_kept_of_earlier_runs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write("run/baseline", "the run", at_s=1000)
    write("run/baseline/earlier/2026-03-01_12-00-05", "an earlier one", at_s=2000)
    assert main(["show"]) == 0
    assert capsys.readouterr().out.startswith("Baseline of the run.")


@pytest.mark.parametrize("page", ["baseline.md", "baseline.html"])
def test_a_page_of_a_report_is_answered_with_its_folder(
    page: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write("run", "here", at_s=1000)
    Path("run", page).write_text("# Baseline", encoding="utf-8")
    assert main(["show", f"run/{page}"]) == 2
    assert capsys.readouterr().err == (
        f"ocr-baseline: error: run/{page} is a page for people; to read the run, name its folder "
        "or the baseline.json there\n"
    )
