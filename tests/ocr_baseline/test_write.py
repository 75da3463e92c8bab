from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from ocr_baseline import BaselineReportCallback
from ocr_baseline.errors import BaselineError
from ocr_baseline.model.document_file import read_baseline
from ocr_baseline.model.run import Run
from ocr_baseline.write import write_report
from tests.ocr_baseline.examples import empty_run, recorded_run


def test_a_report_is_five_files_that_belong_together(tmp_path: Path) -> None:
    files = write_report(recorded_run(8), tmp_path / "baseline")
    assert sorted(path.name for path in (tmp_path / "baseline").iterdir()) == [
        "baseline.html",
        "baseline.json",
        "baseline.md",
        "batches.csv",
        "metrics.csv",
    ]
    assert files.json is not None
    assert read_baseline(files.json) == files.baseline
    assert files.baseline.series == "batches.csv"
    assert files.markdown is not None
    assert files.markdown.read_text().startswith("# Performance Baseline Report\n")
    assert files.series_csv is not None
    assert len(list(csv.reader(files.series_csv.open()))) == 1 + 8 + 4


def test_a_notebook_shows_the_callback_as_the_page_that_it_wrote(tmp_path: Path) -> None:
    callback = BaselineReportCallback()
    assert (callback._repr_html_(), callback._repr_markdown_()) == (None, None)

    callback.files = write_report(recorded_run(8), tmp_path)

    shown = callback._repr_html_()
    assert shown is not None
    assert shown.startswith("<iframe")
    assert "timeline-data" in shown
    assert callback._repr_markdown_() == (tmp_path / "baseline.md").read_text(encoding="utf-8")
    (tmp_path / "baseline.html").unlink()
    assert callback._repr_html_() is None


def test_a_source_without_batches_leaves_no_series(tmp_path: Path) -> None:
    files = write_report(empty_run(), tmp_path)
    assert files.series_csv is None
    assert not (tmp_path / "batches.csv").exists()
    assert json.loads((tmp_path / "baseline.json").read_text())["series"] is None
    assert "Nothing was measured in this run" in (tmp_path / "baseline.md").read_text()


def run_of(day: int, batches: int = 4) -> Run:
    run = recorded_run(batches)
    began = datetime(2026, 3, day, 12, 0, 5, tzinfo=timezone.utc)
    return replace(run, info=replace(run.info, started_at=began))


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_second_report_of_a_run_replaces_the_first(tmp_path: Path) -> None:
    write_report(run_of(1, batches=2), tmp_path)
    files = write_report(run_of(1, batches=6), tmp_path)
    assert read_baseline(tmp_path / "baseline.json") == files.baseline
    assert not (tmp_path / "earlier").exists()


def test_a_report_of_unknown_age_is_replaced_only_by_who_says_that_it_renews_it(
    tmp_path: Path,
) -> None:
    first = write_report(empty_run(), tmp_path)
    second = write_report(empty_run(), tmp_path, renews=first.baseline.generated_at)
    assert not (tmp_path / "earlier").exists()
    write_report(empty_run(), tmp_path)
    assert len(names_in(tmp_path / "earlier")) == 1
    write_report(empty_run(), tmp_path, renews=second.baseline.generated_at)
    assert len(names_in(tmp_path / "earlier")) == 2, "another's, written since, is no own one"


def test_the_report_of_another_run_is_kept_whole_in_a_folder_named_by_when_it_began(
    tmp_path: Path,
) -> None:
    first = write_report(run_of(1), tmp_path)
    texts = {name: (tmp_path / name).read_bytes() for name in names_in(tmp_path)}
    write_report(run_of(2), tmp_path)
    kept = tmp_path / "earlier" / "2026-03-01_12-00-05"
    assert {name: (kept / name).read_bytes() for name in names_in(kept)} == texts
    assert read_baseline(kept / "baseline.json") == first.baseline
    write_report(run_of(3), tmp_path)
    assert names_in(kept.parent) == ["2026-03-01_12-00-05", "2026-03-02_12-00-05"]


def test_batches_of_an_earlier_run_do_not_stay_beside_a_report_without_any(tmp_path: Path) -> None:
    write_report(run_of(1), tmp_path)
    write_report(empty_run(), tmp_path)
    assert not (tmp_path / "batches.csv").exists()
    assert (tmp_path / "earlier" / "2026-03-01_12-00-05" / "batches.csv").exists()


def test_a_report_that_can_not_be_read_is_kept_too(tmp_path: Path) -> None:
    (tmp_path / "baseline.json").write_text("{cut off")
    write_report(run_of(1), tmp_path)
    (kept,) = (tmp_path / "earlier").iterdir()
    assert (kept / "baseline.json").read_text() == "{cut off"


def test_files_of_other_programs_stay_and_cost_the_report_its_own_of_that_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "metrics.csv").write_text("epoch,loss\n0,1.5\n")
    (tmp_path / "baseline.md").write_text("# The baseline model\n")
    for day in (1, 2):
        files = write_report(run_of(day), tmp_path)
        assert (files.metrics_csv, files.markdown) == (None, None)
        assert read_baseline(tmp_path / "baseline.json") == files.baseline
        (warning,) = [entry.message for entry in caplog.records]
        assert "baseline.md, metrics.csv" in warning
        assert "output_dir" in warning
        caplog.clear()
    assert (tmp_path / "metrics.csv").read_text() == "epoch,loss\n0,1.5\n"
    assert (tmp_path / "baseline.md").read_text() == "# The baseline model\n"
    (kept,) = (tmp_path / "earlier").iterdir()
    assert names_in(kept) == ["baseline.html", "baseline.json", "batches.csv"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("name", ["baseline.json", "baseline.html"])
def test_a_pipe_in_the_place_of_a_file_holds_nobody_up_and_stays(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    program = """
import sys
from pathlib import Path
from ocr_baseline.errors import BaselineError
from ocr_baseline.write import write_report
from tests.ocr_baseline.examples import recorded_run

try:
    print(write_report(recorded_run(), Path(sys.argv[1])).html)
except BaselineError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert f"{name} in {tmp_path} is another program's and stays" in done.stdout + done.stderr
    assert (tmp_path / name).is_fifo()


def test_a_document_of_another_program_stays_and_there_is_no_report(tmp_path: Path) -> None:
    (tmp_path / "baseline.json").write_text('{"accuracy": 0.9}')
    with pytest.raises(BaselineError, match="output_dir of its own"):
        write_report(run_of(1), tmp_path)
    assert names_in(tmp_path) == ["baseline.json"]
    assert (tmp_path / "baseline.json").read_text() == '{"accuracy": 0.9}'


def test_a_report_that_fails_leaves_the_earlier_one_in_its_place_and_keeps_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_report(run_of(1), tmp_path)

    def fail(*args: object) -> None:
        raise BaselineError("the disk is full")

    for _ in range(2):
        with monkeypatch.context() as patched:
            patched.setattr("ocr_baseline.files.write_text_atomically", fail)
            patched.setattr("ocr_baseline.files.write_parts_atomically", fail)
            with pytest.raises(BaselineError, match="full"):
                write_report(run_of(2), tmp_path)
    began = read_baseline(tmp_path / "baseline.json").run.started_at
    assert began is not None
    assert began.day == 1
    assert names_in(tmp_path / "earlier") == ["2026-03-01_12-00-05"]


RENDERERS = {
    "baseline.json": "run.json.render_json",
    "baseline.md": "run.markdown.render_markdown",
    "metrics.csv": "run.csv.render_metrics_csv",
    "batches.csv": "run.csv.series_csv_parts",
    "baseline.html": "page.run_page.render_run_page",
}


def break_renderers(patched: pytest.MonkeyPatch, names: Iterable[str]) -> None:
    def fail(*args: object, **options: object) -> str:
        raise ZeroDivisionError("division by zero")

    for name in names:
        patched.setattr(f"ocr_baseline.reports.{RENDERERS[name]}", fail)


@pytest.mark.parametrize("broken", RENDERERS)
def test_a_renderer_that_fails_costs_its_own_file_and_one_warning_that_names_it(
    broken: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    write_report(run_of(1, batches=2), tmp_path)  # a file of an earlier run isn't taken for new
    break_renderers(monkeypatch, [broken])
    files = write_report(run_of(2), tmp_path)
    rest = sorted(set(RENDERERS) - {broken})
    assert names_in(tmp_path) == sorted([*rest, "earlier"])
    assert names_in(tmp_path / "earlier" / "2026-03-01_12-00-05") == sorted(RENDERERS)
    (warning,) = [record.getMessage() for record in caplog.records]
    assert f"{broken} (ZeroDivisionError: division by zero)" in warning
    assert str(tmp_path) in warning
    if broken != "baseline.md":
        links = (tmp_path / "baseline.md").read_text().rpartition("Beside this file:")[2]
        assert broken not in links
        assert all(f"({name})" in links for name in rest if name != "baseline.md")
    if broken != "baseline.json":
        assert read_baseline(tmp_path / "baseline.json") == files.baseline
    assert files.baseline.series == (None if broken == "batches.csv" else "batches.csv")


def test_the_document_is_on_disk_before_the_page_is_rendered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*args: object, **options: object) -> str:
        raise SystemExit(1)

    write_report(run_of(1), tmp_path)
    monkeypatch.setattr("ocr_baseline.reports.page.run_page.render_run_page", end)
    with pytest.raises(SystemExit):
        write_report(run_of(2), tmp_path)
    assert read_baseline(tmp_path / "baseline.json").run.started_at == run_of(2).info.started_at
    assert not (tmp_path / "baseline.html").exists(), "the earlier run's is only kept aside"


def test_a_report_without_a_single_file_is_an_error_that_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_renderers(monkeypatch, RENDERERS)
    with pytest.raises(BaselineError, match="division by zero"):
        write_report(run_of(1), tmp_path)


def test_a_folder_that_can_not_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BaselineError, match="file"):
        write_report(recorded_run(2), tmp_path / "file" / "baseline")
