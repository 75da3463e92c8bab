from __future__ import annotations

import pytest

from ocr_baseline.model.document import Baseline, FunctionShare, Workers
from ocr_baseline.reports.page.tree import Node, tree
from tests.ocr_baseline.examples import MATCHING, empty_baseline, full_baseline


def line_of(baseline: Baseline, phase: str, name: str, **causes: int) -> Node:
    numbers = {line.replace("__", "."): number for line, number in causes.items()}
    (found,) = [one for one in tree(baseline, numbers) if one.key == phase]
    return next(one for one in found.children if one.name == name)


def test_each_phase_is_a_row_whose_bar_is_as_long_as_its_lines_together() -> None:
    nodes = tree(full_baseline(), {})

    assert [node.label for node in nodes] == ["Before the first step", "Training", "Validation"]
    for node in nodes:
        ends = [part.x + part.width for part in node.segments]
        assert ends[-1] == pytest.approx(1.0, abs=0.01)
        starts = [part.x for part in node.segments]
        assert starts == pytest.approx([0.0, *ends[:-1]])


def test_lines_stand_by_their_time_and_those_under_a_thousandth_are_one_row() -> None:
    (train,) = [one for one in tree(full_baseline(), {}) if one.key == "train"]

    assert [one.name for one in train.children[:3]] == ["backward", "forward", "loader_startup"]
    assert train.children[-1].name == "2 smaller lines"


def test_a_line_opens_to_the_functions_that_sampling_met_its_cause_first() -> None:
    metrics = line_of(full_baseline(), "validation", "metrics")

    assert [one.name for one in metrics.children] == ["Metric.match", "Metric.update"]
    first = metrics.children[0]
    assert first.is_sampled
    assert first.share == "71 ± 3% of it"
    assert first.width == pytest.approx(0.46 * 0.71)


def test_waiting_for_batches_opens_to_what_the_workers_did() -> None:
    baseline = full_baseline()
    made = _workers(MATCHING[1])
    waiting = line_of(baseline.model_copy(update={"workers": [made]}), "train", "data_wait")

    assert [one.name for one in waiting.children] == ["target_maps", "Metric.match"]
    assert waiting.children[0].seconds == "410 ms"
    assert "6.40 s" in waiting.children[0].note
    assert waiting.children[1].note.endswith("sampled in the workers")


def test_no_function_of_the_workers_is_waited_for_longer_than_the_line_that_it_stands_in() -> None:
    baseline = full_baseline()
    made = _workers(MATCHING[1]).model_copy(update={"waited_s": 1e6})
    waiting = line_of(baseline.model_copy(update={"workers": [made]}), "train", "data_wait")

    assert all(one.width <= waiting.width for one in waiting.children if one.is_sampled)
    assert any(one.is_sampled for one in waiting.children)


def _workers(cause: FunctionShare) -> Workers:
    return Workers(
        phase="train",
        count=2,
        processes=2,
        batches=60,
        busy_s=8.0,
        unnamed_s=1.0,
        waited_s=0.46,
        functions=[cause],
        cause=cause,
    )


def test_a_named_operation_tells_of_its_calls() -> None:
    operation = line_of(full_baseline(), "validation", "pyclipper.PyclipperOffset.Execute")

    assert operation.note == "7,260 calls, median 26.0 µs"


def test_a_line_bears_the_number_of_the_cause_that_its_time_is_in() -> None:
    baseline = full_baseline()

    assert line_of(baseline, "validation", "metrics", validation__metrics=1).cause == 1
    assert line_of(baseline, "validation", "forward", validation__metrics=1).cause is None


def test_a_run_without_a_breakdown_has_no_tree() -> None:
    assert tree(empty_baseline(), {}) == []
