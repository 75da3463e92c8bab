"""What the whole run takes by a short trial of it."""

from __future__ import annotations

import numpy as np
import pytest

from ocr_baseline.analysis.analyze import measure
from ocr_baseline.analysis.phases.stage_times import StageTimes
from ocr_baseline.prove.shape import projected_s, shapes_of
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import run, stage, table


def times(passes: int, batches: int, *, first_s: float = 1.0, samples: float = 4.0) -> StageTimes:
    """Passes that begin with a start of workers; the first takes a second longer."""
    start_s = np.zeros(passes * batches)
    start_s[::batches] = first_s
    start_s[0] += 1.0
    rows = table(
        passes * batches,
        {"loader_startup": start_s, "forward": 0.1},
        batches_a_pass=batches,
        samples=samples,
    )
    return StageTimes(stage(Stage.TRAIN, rows, tails_s=[{"callbacks": 0.5}] * passes))


def test_a_trial_as_long_as_the_run_is_what_it_took() -> None:
    whole = times(3, 40)
    [shape] = shapes_of(measure(run(whole.record))).values()
    assert projected_s(whole, shape) == pytest.approx(whole.total_s)


def test_a_short_trial_tells_what_a_longer_run_takes() -> None:
    whole = times(5, 400)
    [shape] = shapes_of(measure(run(whole.record))).values()
    assert projected_s(times(2, 20), shape) == pytest.approx(whole.total_s)


def test_larger_batches_are_fewer() -> None:
    whole = times(1, 400, samples=1.0)
    [shape] = shapes_of(measure(run(whole.record))).values()
    in_trial = times(1, 20, samples=16.0)
    assert projected_s(in_trial, shape) == pytest.approx(1.0 + 1.0 + 0.5 + 400 / 16 * 0.1)
