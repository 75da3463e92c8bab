"""Precision, recall and hmean against cases counted by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ocr.models.metric import DetectionMetric, count_page

Polygon = NDArray[np.float32]


def _box(left: float, top: float, width: float = 10.0, height: float = 10.0) -> Polygon:
    right, bottom = left + width, top + height
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float32)


def _scores(metric: DetectionMetric) -> tuple[float, float, float]:
    scores = metric.compute()
    return float(scores["precision"]), float(scores["recall"]), float(scores["hmean"])


def test_scores_follow_from_the_counts() -> None:
    metric = DetectionMetric()
    found = [_box(0, 0), _box(20, 0), _box(500, 500)]
    metric.update([found], [[_box(0, 1), _box(20, 0), _box(40, 0), _box(60, 0)]])
    precision, recall = 2 / 3, 2 / 4
    hmean = 2 * precision * recall / (precision + recall)
    assert _scores(metric) == pytest.approx((precision, recall, hmean))


def test_two_predictions_on_one_annotation_count_once() -> None:
    counts = count_page([_box(0, 0), _box(0, 1)], [_box(0, 0)], 0.5)
    assert counts == {"matched": 1, "predicted": 2, "annotated": 1}


def test_one_prediction_over_two_annotations_counts_once() -> None:
    counts = count_page([_box(0, 0)], [_box(0, 0), _box(0, 1)], 0.5)
    assert counts == {"matched": 1, "predicted": 1, "annotated": 2}


def test_a_crowd_is_paired_as_often_as_possible() -> None:
    # The first prediction fits both annotations, the second only the first one: pairing the first
    # of each, as a greedy loop does, would leave the second prediction alone.
    first, second = _box(0, 2), _box(0, -2)
    annotations = [_box(0, 0), _box(0, 4)]
    assert count_page([first, second], annotations, 0.5)["matched"] == 2


def test_an_iou_at_the_threshold_counts_and_one_below_does_not() -> None:
    # Two boxes of 10 x 10 that share 10 x 5 have an IoU of 50 / 150.
    pair = ([_box(0, 0)], [_box(0, 5)])
    assert count_page(*pair, 1 / 3 - 1e-6)["matched"] == 1
    assert count_page(*pair, 1 / 3 + 1e-6)["matched"] == 0
    half = ([_box(0, 0)], [_box(0, 0, height=5)])
    assert count_page(*half, 0.5)["matched"] == 1


def test_regions_of_one_page_do_not_meet_those_of_another() -> None:
    metric = DetectionMetric()
    metric.update([[_box(0, 0)], []], [[], [_box(0, 0)]])
    assert _scores(metric) == (0.0, 0.0, 0.0)


def test_an_empty_page_without_predictions_changes_nothing() -> None:
    metric = DetectionMetric()
    metric.update([[_box(0, 0)]], [[_box(0, 0)]])
    metric.update([[]], [[]])
    assert _scores(metric) == (1.0, 1.0, 1.0)


def test_predictions_on_an_empty_page_lower_precision_alone() -> None:
    metric = DetectionMetric()
    metric.update([[_box(0, 0)], [_box(0, 0)]], [[_box(0, 0)], []])
    assert _scores(metric) == pytest.approx((0.5, 1.0, 2 / 3))


def test_nothing_counted_gives_zeros() -> None:
    metric = DetectionMetric()
    metric.update([], [])
    assert _scores(metric) == (0.0, 0.0, 0.0)


def test_a_self_intersecting_polygon_is_repaired() -> None:
    crossed = np.array([[0, 0], [10, 10], [10, 0], [0, 10]], dtype=np.float32)
    assert count_page([crossed], [crossed], 0.5)["matched"] == 1


@pytest.mark.parametrize(
    "degenerate",
    [
        np.zeros((4, 2), dtype=np.float32),
        np.array([[0, 0], [10, 0]], dtype=np.float32),
        np.array([[0, 0], [5, 0], [10, 0]], dtype=np.float32),
        np.array([[0, 0], [10, 0], [10, np.nan]], dtype=np.float32),
    ],
)
def test_a_degenerate_prediction_is_a_false_positive_and_a_degenerate_annotation_is_left_out(
    degenerate: Polygon,
) -> None:
    counts = count_page([degenerate, _box(0, 0)], [degenerate, _box(0, 0)], 0.5)
    assert counts == {"matched": 1, "predicted": 2, "annotated": 1}


def test_pages_must_be_as_many_on_both_sides() -> None:
    with pytest.raises(ValueError, match="1 pages of predictions for 2"):
        DetectionMetric().update([[]], [[], []])


@pytest.mark.parametrize("threshold", [0.0, 1.5])
def test_an_iou_threshold_outside_its_range_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="iou_threshold"):
        DetectionMetric(iou_threshold=threshold)


def test_the_states_of_two_ranks_sum_to_those_of_one() -> None:
    pages = [
        ([_box(0, 0), _box(50, 0)], [_box(0, 0)]),
        ([_box(0, 0)], [_box(0, 0), _box(30, 0), _box(60, 0)]),
        ([], [_box(0, 0)]),
    ]
    whole, rank_0, rank_1 = DetectionMetric(), DetectionMetric(), DetectionMetric()
    whole.update([found for found, _ in pages], [truth for _, truth in pages])
    rank_0.update([pages[0][0]], [pages[0][1]])
    rank_1.update([found for found, _ in pages[1:]], [truth for _, truth in pages[1:]])
    rank_0.merge_state(rank_1)
    assert _scores(rank_0) == _scores(whole)


def test_every_state_is_a_sum_reduced_count() -> None:
    metric = DetectionMetric()
    metric.update([[_box(0, 0)]], [[_box(0, 0)]])
    counts = metric.metric_state
    assert counts == {"matched": 1, "predicted": 1, "annotated": 1}
    assert not any(torch.is_floating_point(torch.as_tensor(count)) for count in counts.values())


ONE_OF_TWO_RANKS = """
import json, sys
import numpy as np, torch.distributed as dist
from ocr.models.metric import DetectionMetric

rank, store = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
box = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], dtype=np.float32)
metric = DetectionMetric()
# Rank 0 finds one of two, rank 1 finds one of one and a second that is not there.
metric.update([[box]] if rank == 0 else [[box, box + 50]], [[box, box + 90][: 2 - rank]])
scores = {name: value.item() for name, value in metric.compute().items()}
print(json.dumps(scores), "own annotations", metric.annotated.item())
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes_compute_the_scores_of_all_their_pages(tmp_path: Path) -> None:
    ranks = [
        subprocess.Popen(
            [sys.executable, "-c", ONE_OF_TWO_RANKS, str(rank), str(tmp_path / "store")],
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    outputs = [process.communicate(timeout=240)[0] for process in ranks]
    for rank, output in enumerate(outputs):
        scores, _, own = output.partition(" own annotations ")
        expected = {"precision": 2 / 3, "recall": 2 / 3, "hmean": 2 / 3}
        assert json.loads(scores) == pytest.approx(expected)
        assert int(own) == 2 - rank


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_reset_forgets_everything() -> None:
    metric = DetectionMetric()
    metric.update([[_box(0, 0)]], [[_box(0, 0)]])
    metric.reset()
    assert _scores(metric) == (0.0, 0.0, 0.0)
