from __future__ import annotations

from dataclasses import replace

import pytest

from ocr_baseline.model.run import Run
from ocr_baseline.reports.page.passes import checkpoints, end_of, passes
from tests.ocr_baseline.examples import empty_run
from tests.ocr_baseline.reports.page.pages import trained


def test_passes_are_in_the_order_of_time_and_last_as_long_as_their_batches() -> None:
    found = passes(trained(epochs=2, batches=10))

    assert [(one.stage, one.epoch) for one in found] == [
        *(("train", 0), ("validation", 0), ("train", 1), ("validation", 1))
    ]
    assert found[0].start_s == pytest.approx(1.0)
    assert found[0].end_s == pytest.approx(2.0, abs=0.03)
    assert found[1].start_s == pytest.approx(2.0)


def test_a_checkpoint_of_an_epochs_end_lies_after_its_validation_and_before_the_next_epoch() -> (
    None
):
    run = trained(epochs=2, batches=10)
    found = passes(run)

    for span in checkpoints(run, found)[:2]:
        assert span.end_s - span.start_s == pytest.approx(0.15)
        assert found[1].end_s - 0.02 <= span.start_s
        assert span.end_s <= found[2].start_s + 0.02


def test_a_checkpoint_inside_a_batch_lies_at_its_end() -> None:
    run = trained(epochs=1, batches=10)
    table = run.stages[0].batches
    assert table is not None
    wrote_s = table.lines_s["forward"] * 0
    wrote_s[4] = 0.05
    stage = replace(
        run.stages[0],
        epochs=(),
        batches=replace(table, lines_s={**table.lines_s, "checkpoint": wrote_s}),
    )
    run = replace(run, stages=(stage,))

    (span,) = checkpoints(run, passes(run))

    assert span.end_s == pytest.approx(table.start_s[4] + table.duration_s[4])
    assert span.end_s - span.start_s == pytest.approx(0.05)


@pytest.mark.parametrize("run", [empty_run(), replace(trained(), stages=())])
def test_a_run_without_batches_has_no_passes(run: Run) -> None:
    assert passes(run) == []
    assert checkpoints(run, []) == []
    assert end_of(run, []) == (run.info.duration_s or 0.0)
