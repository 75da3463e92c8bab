from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.reports.run.json import render_json
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.examples import full_baseline


def plot(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ocr_baseline.cli", "plot", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


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
    recorder.close()
    return tmp_path / "run"


def test_a_runs_folder_becomes_a_page_with_its_batches(records: Path) -> None:
    done = plot(records.parent, "run", "--output", "pictures/page.html")

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines()[-1] == "Wrote pictures/page.html"
    page = (records.parent / "pictures" / "page.html").read_text(encoding="utf-8")
    assert "Performance baseline of drawn" in page
    assert "Batch times over the run</h2>" in page


def test_a_document_becomes_baseline_html_in_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "baseline.json").write_text(render_json(full_baseline()), encoding="utf-8")

    for given in ("baseline.json", "."):
        done = plot(tmp_path, given)
        assert (done.returncode, done.stderr) == (0, "Wrote baseline.html\n")

    assert "Where the time went</h2>" in (tmp_path / "baseline.html").read_text(encoding="utf-8")


def test_a_run_that_is_not_there_is_one_line_and_no_page(tmp_path: Path) -> None:
    done = plot(tmp_path, "nothing")

    assert done.returncode == 2
    assert done.stderr.startswith("ocr-baseline: error: can't read nothing")
    assert list(tmp_path.iterdir()) == []
