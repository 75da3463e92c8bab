"""The DBNet losses: hard-negative cross-entropy, masked L1 and Dice.

Formulas and weights are those of Liao et al., "Real-time Scene Text Detection with
Differentiable Binarization", AAAI 2020, section 3.4, and its published training code.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ocr.data.batch import DetectionBatch
from ocr.models.head import DetectionMaps

_EPSILON = 1e-6


def balanced_cross_entropy(
    logits: Tensor, target: Tensor, mask: Tensor, *, negative_ratio: float = 3.0
) -> Tensor:
    """Return the cross-entropy of all positives and the hardest negatives.

    At most `negative_ratio` negatives are kept for each positive, those with the largest loss.
    A batch without a positive keeps every negative, so that empty pages still teach.

    Args:
        logits: probability logits (B, H, W).
        target: shrink map (B, H, W), 1 inside text and 0 outside.
        mask: (B, H, W), 0 where a pixel doesn't count.
        negative_ratio: negatives kept for each positive.
    """
    loss = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    positive = (target > 0.5) & (mask > 0.5)
    negative = (target <= 0.5) & (mask > 0.5)
    positive_count = int(positive.sum())
    negative_loss = loss[negative]
    if positive_count:
        kept = min(negative_loss.numel(), int(positive_count * negative_ratio))
        negative_loss = negative_loss.topk(kept, sorted=False).values
    total = loss[positive].sum() + negative_loss.sum()
    return total / max(positive_count + negative_loss.numel(), 1)


def masked_l1(prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of |prediction - target| where mask is 1; maps are (B, H, W)."""
    return ((prediction - target).abs() * mask).sum() / (mask.sum() + _EPSILON)


def dice_loss(prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Return 1 - 2 |P ∩ T| / (|P| + |T|) over the pixels where mask is 1; maps (B, H, W)."""
    intersection = (prediction * target * mask).sum()
    union = (prediction * mask).sum() + (target * mask).sum() + _EPSILON
    return 1.0 - 2.0 * intersection / union


class DetectionLosses(NamedTuple):
    """The weighted total and its unweighted terms, each a scalar."""

    total: Tensor
    probability: Tensor
    threshold: Tensor
    binary: Tensor


class DetectionLoss(nn.Module):
    """The weighted sum of the three terms.

    Args:
        probability_weight: weight of the balanced cross-entropy of the probability map.
        threshold_weight: weight of the L1 distance of the threshold map.
        binary_weight: weight of the Dice loss of the approximate binary map.
        negative_ratio: hard negatives kept for each positive pixel.
    """

    def __init__(
        self,
        *,
        probability_weight: float = 5.0,
        threshold_weight: float = 10.0,
        binary_weight: float = 1.0,
        negative_ratio: float = 3.0,
    ) -> None:
        super().__init__()
        self.probability_weight = probability_weight
        self.threshold_weight = threshold_weight
        self.binary_weight = binary_weight
        self.negative_ratio = negative_ratio

    def forward(self, maps: DetectionMaps, batch: DetectionBatch) -> DetectionLosses:
        """Return the losses of a batch's maps against its targets."""
        probability = balanced_cross_entropy(
            maps.probability_logits,
            batch["shrink_maps"],
            batch["shrink_masks"],
            negative_ratio=self.negative_ratio,
        )
        threshold = masked_l1(maps.threshold, batch["threshold_maps"], batch["threshold_masks"])
        binary = dice_loss(maps.binary, batch["shrink_maps"], batch["shrink_masks"])
        total = torch.stack(
            [
                self.probability_weight * probability,
                self.threshold_weight * threshold,
                self.binary_weight * binary,
            ]
        ).sum()
        return DetectionLosses(total, probability, threshold, binary)
