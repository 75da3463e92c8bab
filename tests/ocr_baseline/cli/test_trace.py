"""`ocr-baseline trace` of records on disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ocr_baseline.cli import main
from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.reports.run.json import render_json
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.examples import full_baseline

GOLDEN = Path(__file__).parents[1] / "records" / "golden_run" / "finished"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(path: Path) -> list[dict]:
    events: list[dict] = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    return events


def record_rank(folder: Path, rank: int, started_ns: int) -> None:
    recorder = Recorder(folder, rank=rank, clock=iter(range(10**9, 10**12, 10**6)).__next__)
    recorder.write_header(
        {
            "world_size": 2,
            "started_ns": started_ns,
            "written_at": f"2026-11-27T01:00:0{rank}+00:00",
        }
    )
    recorder.resume()
    recorder.open_stage(Stage.TRAIN, 0)
    for batch_idx in range(2):
        recorder.begin_fetch()
        recorder.end_fetch()
        recorder.begin_batch(batch_idx, 0, 4)
        recorder.finish_batch()
    recorder.close()


def test_the_newest_run_becomes_a_file_with_all_of_its_batches(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN, tmp_path / "run" / "records")
    assert main(["trace", "-o", "run.json"]) == 0
    events = written(tmp_path / "run.json")
    assert sum(one["name"] == "training batch" for one in events) == 12
    assert any(one["name"] == "make a batch" for one in events)
    assert any(one["name"] == "memory of the main process" for one in events)


def test_without_a_file_the_trace_goes_to_stdout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(GOLDEN, tmp_path / "run")
    assert main(["trace", "run"]) == 0
    assert json.loads(capsys.readouterr().out)["traceEvents"]


def test_each_rank_is_a_process_at_its_time(tmp_path: Path) -> None:
    for rank, started_ns in enumerate((5 * 10**9, 6 * 10**9)):
        record_rank(tmp_path / "run" / "records", rank, started_ns)
    assert main(["trace", "run", "-o", "run.json"]) == 0
    events = written(tmp_path / "run.json")
    names = [one["args"]["name"] for one in events if one["name"] == "process_name"]
    assert names == ["rank 0 of unnamed run", "rank 1"]
    first, _, second, _ = (one["ts"] for one in events if one["name"] == "training batch")
    assert second - first == pytest.approx(1e6, abs=1e5)


def test_a_documents_folder_has_no_batches(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "baseline.json").write_text(render_json(full_baseline()), encoding="utf-8")
    assert main(["trace", "baseline.json"]) == 2
    assert "a baseline.json holds no batches" in capsys.readouterr().err
