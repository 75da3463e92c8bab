"""`ocr-baseline baseline`, `calibrate` and `trend`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ocr_baseline.cli import main
from ocr_baseline.comparison.identity import fingerprint
from tests.ocr_baseline.comparison.measured_runs import IDENTITY, baseline
from tests.ocr_baseline.store_files import write, write_runs

STEADY = tuple(1 + 0.004 * ((i * 7) % 11 - 5) for i in range(11))


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("OCR_BASELINE_STORE", raising=False)


def test_names_are_added_listed_and_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_runs(tmp_path / "old", 0)
    assert main(["baseline", "add", "main", "old"]) == 0
    assert capsys.readouterr().err.count("Stored") == 5
    assert main(["baseline", "add", "main", "old/run-0"]) == 0
    assert "Already there" in capsys.readouterr().err
    assert main(["baseline", "list"]) == 0
    assert capsys.readouterr().out == "main: 5 runs, 1 environment, latest 20260301T160000Z\n"
    assert main(["baseline", "list", "main"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5
    assert main(["baseline", "rm", "main"]) == 0
    assert main(["baseline", "rm", "main"]) == 2


def test_the_store_is_where_the_option_or_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, baseline(0))
    monkeypatch.setenv("OCR_BASELINE_STORE", str(tmp_path / "elsewhere"))
    assert main(["baseline", "add", "main", "run-0"]) == 0
    assert (tmp_path / "elsewhere" / "main").is_dir()
    assert main(["baseline", "add", "main", "run-0", "--store", "memory://cli"]) == 0
    capsys.readouterr()
    assert main(["baseline", "list", "--store", "memory://cli"]) == 0
    assert capsys.readouterr().out.startswith("main: 1 run,")


def test_an_empty_store_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["baseline", "list"]) == 0
    assert "holds no baseline" in capsys.readouterr().err


def test_a_query_prints_csv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("duckdb", reason="the extra store is not installed")
    write_runs(tmp_path / "old", 0)
    assert main(["baseline", "add", "main", "old"]) == 0
    capsys.readouterr()
    sql = "SELECT phase, count(*) AS runs FROM phases GROUP BY phase"
    assert main(["baseline", "query", sql, "--parquet", "rows.parquet"]) == 0
    assert capsys.readouterr().out == "phase,runs\ntrain,5\n"
    assert (tmp_path / "rows.parquet").is_file()
    assert main(["baseline", "query", "SELECT"]) == 2


def test_a_calibration_is_printed_or_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_runs(tmp_path / "equal", 0, factors=STEADY)
    assert main(["calibrate", "equal"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["runs"] == 11
    assert "train: median batch: runs vary by 1.3% (standard deviation)" in captured.err
    assert main(["calibrate", "equal", "--output", "c.json"]) == 0
    write(tmp_path, baseline(50, factor=1.2))
    arguments = ["compare", "equal/run-0", "run-50", "--format", "json"]
    assert main([*arguments, "--calibration", "c.json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["calibrated"], document["metrics"][0]["verdict"]) == (True, "regression")


def test_too_few_runs_to_calibrate_are_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_runs(tmp_path / "old", 0)
    assert main(["calibrate", "old"]) == 2
    assert "at least 8 runs of the same code and machine, not 5" in capsys.readouterr().err


def test_a_trend_has_its_change_point_as_table_and_chart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_runs(tmp_path / "runs", 0, factors=STEADY)
    write_runs(tmp_path / "runs", 20, slower=0.2, factors=STEADY)
    odd = write(tmp_path, baseline(60, identity={**IDENTITY, "cpu_count": 64}, factor=9.0))
    assert main(["baseline", "add", "main", "runs", str(odd)]) == 0
    capsys.readouterr()
    arguments = ["trend", "main", "--metric", "batch_time", "--fingerprint"]
    own = fingerprint(IDENTITY)
    assert main([*arguments, own]) == 0
    captured = capsys.readouterr()
    assert "the runs of 1 other environment: " in captured.err
    assert "+20.0% (worse)" in captured.out
    assert "|" in captured.out
    assert main([*arguments, own, "--format", "markdown"]) == 0
    assert "| +20.0% (worse) |" in capsys.readouterr().out
    assert main([*arguments, own, "--format", "json", "--last", "11"]) == 0
    (history,) = json.loads(capsys.readouterr().out)
    assert len(history["values"]) == 11
    assert main([*arguments, "ffff"]) == 2
    assert "no run is of environment ffff" in capsys.readouterr().err


def test_a_trend_reads_only_what_it_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_runs(tmp_path / "runs", 0, factors=STEADY)
    odd = write(tmp_path, baseline(60, identity={**IDENTITY, "cpu_count": 64}))
    assert main(["baseline", "add", "main", "runs", str(odd)]) == 0
    oldest, *_ = sorted((tmp_path / "baselines" / "main").iterdir())
    oldest.write_text("damaged")
    capsys.readouterr()
    arguments = ["trend", "main", "--format", "json", "--metric", "train.batch_time"]
    arguments += ["--fingerprint", fingerprint(IDENTITY)]
    assert main([*arguments, "--last", str(len(STEADY) - 1)]) == 0
    captured = capsys.readouterr()
    (history,) = json.loads(captured.out)
    assert len(history["values"]) == len(STEADY) - 1
    assert "the runs of 1 other environment: " in captured.err
    assert main([*arguments, "--last", str(len(STEADY))]) == 2
    assert oldest.name in capsys.readouterr().err
