from __future__ import annotations

import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.run import GarbageRecord, Run
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import evidence, finding, findings, steady_run

RULE = "garbage-collection"


def collecting(seconds: float) -> Run:
    """24 batches of a second each; the collector's pauses are mostly in the forward pass."""
    garbage = GarbageRecord(
        stage=Stage.TRAIN,
        collections=30,
        full_collections=24,
        lines_s={"backward": seconds / 4, "forward": 3 * seconds / 4},
    )
    return steady_run({"forward": 0.6, "backward": 0.4}, garbage=(garbage,))


def test_pauses_of_the_collector_are_found_from_2_percent_of_a_stage() -> None:
    assert findings(collecting(0.4), RULE) == []
    assert finding(collecting(0.6), RULE).severity == "low"
    found = finding(collecting(6.0), RULE)
    assert found.severity == "high"
    assert found.estimated_saving_s == pytest.approx(6.0)
    assert found.title.endswith("mostly in `forward`")
    assert "gc.collect()" in found.advice
    assert evidence(found)["phases.train.garbage_collections"] == 30


def test_a_phase_holds_what_the_collector_took_of_it() -> None:
    [phase] = analyze(collecting(0.4)).phases
    assert phase.garbage_collections == 30
    assert phase.garbage_s == pytest.approx(0.4)
    [untold] = analyze(steady_run({"forward": 1.0})).phases
    assert (untold.garbage_collections, untold.garbage_s) == (None, None)
