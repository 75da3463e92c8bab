"""The three DBNet losses against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from ocr.data.batch import DetectionBatch
from ocr.models.head import DetectionMaps
from ocr.models.losses import (
    DetectionLoss,
    balanced_cross_entropy,
    dice_loss,
    masked_l1,
)


def _map(*values: float) -> torch.Tensor:
    return torch.tensor([[list(values)]], dtype=torch.float32)


def _logit(probability: float) -> float:
    return math.log(probability / (1.0 - probability))


def test_cross_entropy_keeps_three_of_the_hardest_negatives_for_a_positive() -> None:
    probabilities = (0.5, 0.9, 0.8, 0.6, 0.1, 0.2)
    logits = _map(*(_logit(p) for p in probabilities))
    target = _map(1, 0, 0, 0, 0, 0)
    loss = balanced_cross_entropy(logits, target, torch.ones_like(target))
    expected = -(math.log(0.5) + math.log(0.1) + math.log(0.2) + math.log(0.4)) / 4
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_cross_entropy_ignores_pixels_outside_the_mask() -> None:
    logits = _map(_logit(0.5), _logit(0.99), _logit(0.25))
    target = _map(1, 0, 0)
    loss = balanced_cross_entropy(logits, target, _map(1, 0, 1))
    assert loss.item() == pytest.approx(-(math.log(0.5) + math.log(0.75)) / 2, rel=1e-5)


def test_cross_entropy_of_a_page_without_text_averages_every_negative() -> None:
    logits = _map(_logit(0.5), _logit(0.25))
    loss = balanced_cross_entropy(logits, _map(0, 0), _map(1, 1))
    assert loss.item() == pytest.approx(-(math.log(0.5) + math.log(0.75)) / 2, rel=1e-5)


def test_l1_averages_over_the_mask_only() -> None:
    loss = masked_l1(_map(0.3, 0.7, 0.0), _map(0.5, 0.3, 1.0), _map(1, 1, 0))
    assert loss.item() == pytest.approx((0.2 + 0.4) / 2, rel=1e-4)


def test_dice_is_one_minus_twice_the_overlap_over_both_areas() -> None:
    loss = dice_loss(_map(1.0, 0.5, 1.0), _map(1.0, 0.0, 1.0), _map(1, 1, 0))
    assert loss.item() == pytest.approx(1 - 2 * 1.0 / (1.5 + 1.0), rel=1e-4)


def test_dice_of_a_perfect_map_is_zero_and_of_a_disjoint_one_is_one() -> None:
    everywhere = _map(1, 1)
    assert dice_loss(_map(1, 0), _map(1, 0), everywhere).item() == pytest.approx(0.0, abs=1e-5)
    assert dice_loss(_map(0, 1), _map(1, 0), everywhere).item() == pytest.approx(1.0, abs=1e-5)


def _batch(shrink: torch.Tensor) -> DetectionBatch:
    ones = torch.ones_like(shrink)
    return DetectionBatch(
        images=torch.zeros(1, 3, 1, shrink.shape[-1]),
        shrink_maps=shrink,
        shrink_masks=ones,
        threshold_maps=torch.full_like(shrink, 0.5),
        threshold_masks=ones,
        polygons=[[]],
        image_paths=[""],
    )


def test_total_weighs_the_three_terms_with_the_papers_weights() -> None:
    shrink = _map(1, 0)
    maps = DetectionMaps(_map(0.0, 0.0), _map(0.4, 0.4), _map(1.0, 0.5))
    losses = DetectionLoss()(maps, _batch(shrink))
    assert losses.probability.item() == pytest.approx(math.log(2), rel=1e-5)
    assert losses.threshold.item() == pytest.approx(0.1, rel=1e-4)
    assert losses.binary.item() == pytest.approx(1 - 2 / 2.5, rel=1e-4)
    assert losses.total.item() == pytest.approx(5 * math.log(2) + 10 * 0.1 + 0.2, rel=1e-4)


def test_a_page_without_text_gives_finite_gradients() -> None:
    logits = torch.zeros(1, 1, 4, requires_grad=True)
    probability = torch.sigmoid(logits)
    maps = DetectionMaps(logits, probability, probability)
    batch = _batch(torch.zeros(1, 1, 4))
    batch["threshold_masks"] = torch.zeros(1, 1, 4)
    DetectionLoss()(maps, batch).total.backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert (logits.grad > 0).all()
