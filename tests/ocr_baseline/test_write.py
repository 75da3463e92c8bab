from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from ocr_baseline.errors import BaselineError
from ocr_baseline.model.document_file import read_baseline
from ocr_baseline.write import write_report
from tests.ocr_baseline.examples import empty_run, recorded_run


def test_a_report_is_four_files_that_belong_together(tmp_path: Path) -> None:
    files = write_report(recorded_run(8), tmp_path / "baseline")
    assert sorted(path.name for path in (tmp_path / "baseline").iterdir()) == [
        "baseline.json",
        "baseline.md",
        "batches.csv",
        "metrics.csv",
    ]
    assert read_baseline(files.json) == files.baseline
    assert files.baseline.series == "batches.csv"
    assert files.markdown.read_text().startswith("# Performance Baseline Report\n")
    assert files.series_csv is not None
    assert len(list(csv.reader(files.series_csv.open()))) == 1 + 8 + 4


def test_a_source_without_batches_leaves_no_series(tmp_path: Path) -> None:
    files = write_report(empty_run(), tmp_path)
    assert files.series_csv is None
    assert not (tmp_path / "batches.csv").exists()
    assert json.loads(files.json.read_text())["series"] is None
    assert "Nothing was measured in this run" in files.markdown.read_text()


def test_a_second_report_replaces_the_first(tmp_path: Path) -> None:
    write_report(recorded_run(2), tmp_path)
    files = write_report(recorded_run(6), tmp_path)
    train = read_baseline(files.json).phase("train")
    assert train is not None
    assert train.batches == 6


def test_a_folder_that_can_not_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BaselineError, match="file"):
        write_report(recorded_run(2), tmp_path / "file" / "baseline")
