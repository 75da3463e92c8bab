from __future__ import annotations

from pathlib import Path

import pytest

from ocr_baseline.cli import main
from ocr_baseline.publish.github import MAX_BYTES
from ocr_baseline.reports.run.json import render_json
from tests.ocr_baseline.examples import full_baseline


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "baseline.json"
    path.write_text(render_json(full_baseline()), encoding="utf-8")
    return path


def test_the_report_is_appended_to_the_steps_summary(
    tmp_path: Path, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# Tests\n\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert main(["publish", str(document), "--to", "github"]) == 0
    assert summary.read_text(encoding="utf-8").startswith(
        "# Tests\n\n# Performance Baseline Report\n"
    )


def test_a_summary_without_room_is_left_as_it_is(
    tmp_path: Path,
    document: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_bytes(b"x" * (MAX_BYTES - 100))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert main(["publish", str(document), "--to", "github"]) == 2
    assert summary.stat().st_size == MAX_BYTES - 100
    assert "publish it in a step of its own" in capsys.readouterr().err


def test_outside_of_github_actions_the_variable_is_named(
    document: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    assert main(["publish", str(document), "--to", "github"]) == 2
    assert "GITHUB_STEP_SUMMARY isn't set" in capsys.readouterr().err
