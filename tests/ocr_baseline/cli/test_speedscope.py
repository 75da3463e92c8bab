from __future__ import annotations

import json
from pathlib import Path

import pytest

from ocr_baseline.cli import main
from ocr_baseline.reports.run.json import render_json
from tests.ocr_baseline.examples import full_baseline


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def records(folder: Path, *extra: dict[str, object]) -> None:
    golden = Path(__file__).parents[1] / "records" / "golden_run" / "finished" / "rank_0.jsonl"
    folder.mkdir(parents=True)
    lines = golden.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if '"stack_' not in line]
    kept[1:1] = [json.dumps(record) for record in extra]
    (folder / "rank_0.jsonl").write_text("\n".join(kept) + "\n", encoding="utf-8")


def test_a_documents_folder_has_no_call_stacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "baseline.json").write_text(render_json(full_baseline()), encoding="utf-8")
    assert main(["speedscope", "baseline.json"]) == 2
    assert "a baseline.json holds no call stacks" in capsys.readouterr().err


def test_sampled_stacks_of_a_runs_records_become_a_file(tmp_path: Path) -> None:
    records(
        tmp_path / "run" / "records",
        {"type": "stack_functions", "first": 0, "name": ["draw"], "file": ["a.py"], "line": [3]},
        {
            "type": "stack_samples",
            "stage": "train",
            "interval_ns": 10_000_000,
            "cost_ns": 0,
            "line": ["forward"],
            "stack": [[0]],
            "ticks": [7],
        },
    )
    assert main(["speedscope", "run", "--output", "run.speedscope.json"]) == 0
    content = json.loads((tmp_path / "run.speedscope.json").read_text(encoding="utf-8"))
    [profile] = content["profiles"]
    assert profile["name"] == "train, main"
    assert profile["weights"] == pytest.approx([0.07])
