"""`ocr-baseline show` without a run: the newest below the current folder."""

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


def test_the_newest_run_below_the_current_folder_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write("outputs/2026-03-01/12-00-05/baseline", "older", at_s=1000)
    write("multirun/2026-03-02/12-00-05/3/baseline", "newest", at_s=3000)
    write("lightning_logs/version_0/baseline", "old", at_s=2000)
    assert main(["show"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("Baseline of newest.")
    found = Path("multirun/2026-03-02/12-00-05/3")
    assert shown.err == f"The newest run below this folder: {found}\n"


def test_the_run_of_the_current_folder_itself_is_one_of_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write("baseline", "here", at_s=1000)
    assert main(["show"]) == 0
    assert capsys.readouterr().out.startswith("Baseline of here.")


def test_hidden_folders_environments_and_kept_runs_are_passed_over(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write("run/baseline", "the run", at_s=1000)
    write("run/baseline/earlier/2026-03-01_12-00-05", "an earlier one", at_s=2000)
    write(".cache/run/baseline", "hidden", at_s=3000)
    write("env/lib/site-packages/run/baseline", "installed", at_s=4000)
    assert main(["show"]) == 0
    assert capsys.readouterr().out.startswith("Baseline of the run.")


def test_where_there_is_no_run_the_message_says_what_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["show"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "there is none at or below this folder; name one, or train with" in line


def test_a_kept_run_is_shown_by_its_folder(capsys: pytest.CaptureFixture[str]) -> None:
    write("baseline", "here", at_s=1000)
    write("baseline/earlier/2026-03-01_12-00-05", "an earlier one", at_s=2000)
    assert main(["show", "baseline/earlier"]) == 0
    assert capsys.readouterr().out.startswith("Baseline of an earlier one.")
