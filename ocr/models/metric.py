"""Precision, recall and their harmonic mean of detected text regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import shapely
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching
from torch import Tensor
from torchmetrics import Metric

Polygon = NDArray[np.float32]


class DetectionScores(TypedDict):
    """Scalars in [0, 1]."""

    precision: Tensor
    recall: Tensor
    hmean: Tensor


class PageCounts(TypedDict):
    """What one page adds to the metric's states."""

    matched: int
    predicted: int
    annotated: int


class DetectionMetric(Metric):
    """Precision, recall and hmean over all pages at an intersection over union.

    A prediction and an annotation may be paired where their IoU is at least `iou_threshold`; each
    takes part in one pair at most, and the number of pairs is the largest possible. The counts
    of all pages are summed before dividing, and a ratio of 0 to 0 is 0, as in the IoU protocol of
    the ICDAR 2015 robust reading challenge; that protocol's script pairs greedily in file order,
    which can find fewer pairs where regions overlap each other by more than the threshold.

    The three counts are sum-reduced states, so ranks and merged metrics add up.

    Args:
        iou_threshold: the least IoU of a pair, 0.5 in the protocol.

    Raises:
        ValueError: the threshold lies outside (0, 1].
    """

    full_state_update = False
    higher_is_better = True
    is_differentiable = False

    matched: Tensor
    predicted: Tensor
    annotated: Tensor

    def __init__(self, *, iou_threshold: float = 0.5) -> None:
        super().__init__()
        if not 0 < iou_threshold <= 1:
            raise ValueError(f"iou_threshold={iou_threshold} must lie in (0, 1]")
        self.iou_threshold = iou_threshold
        for state in ("matched", "predicted", "annotated"):
            self.add_state(state, default=torch.tensor(0), dist_reduce_fx="sum")

    def update(
        self, predictions: Sequence[Sequence[Polygon]], annotations: Sequence[Sequence[Polygon]]
    ) -> None:
        """Count a batch: for each page its predicted and its annotated polygons (N, 2).

        Raises:
            ValueError: there are more pages on one side than on the other.
        """
        if len(predictions) != len(annotations):
            raise ValueError(
                f"{len(predictions)} pages of predictions for {len(annotations)} of annotations"
            )
        for page_predictions, page_annotations in zip(predictions, annotations, strict=True):
            counts = count_page(page_predictions, page_annotations, self.iou_threshold)
            self.matched += counts["matched"]
            self.predicted += counts["predicted"]
            self.annotated += counts["annotated"]

    def compute(self) -> DetectionScores:
        """Return the scores of everything counted since the last reset."""
        matched = self.matched.float()
        return DetectionScores(
            precision=matched / self.predicted.clamp(min=1),
            recall=matched / self.annotated.clamp(min=1),
            # 2 P R / (P + R) with the counts put in and matched cancelled once.
            hmean=2.0 * matched / (self.predicted + self.annotated).clamp(min=1),
        )


def count_page(
    predictions: Sequence[Polygon], annotations: Sequence[Polygon], iou_threshold: float
) -> PageCounts:
    """Return a page's counts of pairs, predictions and annotations.

    A self-intersecting polygon is repaired. One without an area can't be paired: a prediction
    still counts against precision, an annotation is left out, as nobody could find it.
    """
    predicted = _valid_regions(predictions)
    annotated = _valid_regions(annotations)
    return PageCounts(
        matched=_largest_pairing(predicted, annotated, iou_threshold),
        predicted=len(predictions),
        annotated=len(annotated),
    )


def _largest_pairing(
    predicted: NDArray[np.object_], annotated: NDArray[np.object_], iou_threshold: float
) -> int:
    if not len(predicted) or not len(annotated):
        return 0
    rows, columns = shapely.STRtree(annotated).query(predicted, predicate="intersects")
    left, right = predicted[rows], annotated[columns]
    shared = shapely.area(shapely.intersection(left, right))
    eligible = shared >= iou_threshold * (shapely.area(left) + shapely.area(right) - shared)
    # As 32-bit integers: SciPy before 1.12 matches no others.
    pairs = (rows[eligible].astype(np.int32), columns[eligible].astype(np.int32))
    graph = csr_array(
        (np.ones(int(eligible.sum()), dtype=np.int8), pairs),
        shape=(len(predicted), len(annotated)),
    )
    return int((maximum_bipartite_matching(graph) >= 0).sum())


def _valid_regions(polygons: Sequence[Polygon]) -> NDArray[np.object_]:
    usable = [p for p in polygons if len(p) >= 3 and np.isfinite(p).all()]
    if not usable:
        return np.empty(0, dtype=object)
    owners = np.repeat(np.arange(len(usable)), [len(polygon) for polygon in usable])
    rings = shapely.linearrings(np.concatenate(usable), indices=owners)
    regions: NDArray[np.object_] = np.asarray(shapely.polygons(rings), dtype=object)
    crossed = ~shapely.is_valid(regions)
    regions[crossed] = shapely.make_valid(regions[crossed], method="structure")
    return regions[shapely.area(regions) > 0]
