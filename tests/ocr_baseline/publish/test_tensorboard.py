from __future__ import annotations

from pathlib import Path

import pytest

from ocr_baseline.cli import main
from ocr_baseline.reports.run.json import render_json
from tests.ocr_baseline.examples import full_baseline
from tests.ocr_baseline.publish.events import scalars_in, text_in

pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")


def test_events_hold_the_numbers_and_the_report_without_folds(tmp_path: Path) -> None:
    baseline = full_baseline()
    document = tmp_path / "baseline.json"
    document.write_text(render_json(baseline), encoding="utf-8")
    assert main(["publish", str(document), "--to", f"tensorboard:{tmp_path / 'board'}"]) == 0
    train = baseline.phase("train")
    assert train is not None
    assert train.batch_time_s is not None
    scalars = scalars_in(tmp_path / "board")
    assert scalars["baseline/train_batch_time_s"] == pytest.approx(train.batch_time_s.median)
    text = text_in(tmp_path / "board", "baseline/report")
    assert text.startswith("# Performance Baseline Report")
    assert "<details>" not in text
    assert "<summary>" not in text


def test_a_place_that_is_no_folder_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "baseline.json"
    document.write_text(render_json(full_baseline()), encoding="utf-8")
    assert main(["publish", str(document), "--to", f"tensorboard:{document}"]) == 2
    assert "not published to tensorboard" in capsys.readouterr().err
