from __future__ import annotations

from pathlib import Path

import pytest

from ocr_baseline.cli import main
from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.reports.run.json import render_json
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.examples import full_baseline


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def records(tmp_path: Path) -> Path:
    recorder = Recorder(tmp_path / "run" / "records")
    recorder.write_header({"run": {"id": "drawn"}})
    recorder.resume()
    recorder.open_stage(Stage.TRAIN, 0)
    for batch_idx in range(3):
        recorder.begin_fetch()
        recorder.end_fetch()
        recorder.begin_batch(batch_idx, 0, 4)
        recorder.finish_batch()
    recorder.close()
    return tmp_path / "run"


def test_a_runs_folder_becomes_a_page_with_its_batches(
    records: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot", "run", "--output", "pictures/page.html"]) == 0

    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines()[-1] == "Wrote pictures/page.html"
    page = (records.parent / "pictures" / "page.html").read_text(encoding="utf-8")
    assert "<title>Baseline of drawn</title>" in page
    assert 'class="dots stage-train"' in page


def test_a_document_becomes_baseline_html_in_the_current_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "baseline.json").write_text(render_json(full_baseline()), encoding="utf-8")

    for given in ("baseline.json", "."):
        assert main(["plot", given]) == 0
        assert capsys.readouterr().err == "Wrote baseline.html\n"

    assert "Where the time went</h2>" in (tmp_path / "baseline.html").read_text(encoding="utf-8")


def test_a_run_that_is_not_there_is_one_line_and_no_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot", "nothing"]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ocr-baseline: error: can't read nothing")
    assert list(tmp_path.iterdir()) == []
