"""Peaks of stages, from a counter that the test raises."""

from __future__ import annotations

from pathlib import Path

from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.vocabulary import Stage


def test_a_stage_has_the_peak_that_it_raised_and_the_others_have_none(tmp_path: Path) -> None:
    counter = 5
    recorder = Recorder(tmp_path)
    recorder.stages.peaks.read_bytes = lambda: counter
    recorder.resume()
    recorder.open_stage(Stage.TRAIN, 0)
    counter = 20
    recorder.open_stage(Stage.VALIDATION, 0)
    recorder.close_stage(Stage.VALIDATION)
    counter = 30
    recorder.close_stage(Stage.TRAIN)
    recorder.open_stage(Stage.TEST, 0)
    recorder.close()
    assert recorder.stages.peaks.of_stages == {Stage.SETUP: 5, Stage.TRAIN: 30}


def test_without_an_accelerator_no_stage_has_a_peak(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.resume()
    recorder.open_stage(Stage.TRAIN, 0)
    recorder.close()
    assert recorder.stages.peaks.of_stages == {}
