"""The differentiable-binarization head: probability, threshold and binary maps."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class DetectionMaps(NamedTuple):
    """The head's output, each map (B, H, W) at the input's resolution.

    `probability_logits` are unbounded, for a numerically safe cross-entropy; `threshold` and
    `binary` lie in [0, 1].
    """

    probability_logits: Tensor
    threshold: Tensor
    binary: Tensor


def approximate_binarization(probability: Tensor, threshold: Tensor, k: float) -> Tensor:
    """Return 1 / (1 + exp(-k (P - T))), the DBNet paper's equation 2, element by element."""
    return torch.sigmoid(k * (probability - threshold))


class BinarizationHead(nn.Module):
    """Two branches of the same shape, joined by approximate binarization.

    Source: Liao et al., "Real-time Scene Text Detection with Differentiable Binarization",
    AAAI 2020, section 3.2.

    Args:
        in_channels: channels of the neck's map.
        branch_channels: channels inside a branch; a quarter of `in_channels` when None.
        k: the amplification factor of approximate binarization, 50 in the paper.
    """

    def __init__(
        self, in_channels: int, *, branch_channels: int | None = None, k: float = 50.0
    ) -> None:
        super().__init__()
        channels = in_channels // 4 if branch_channels is None else branch_channels
        self.k = k
        self.probability = _branch(in_channels, channels)
        self.threshold = _branch(in_channels, channels)

    def forward(self, features: Tensor) -> DetectionMaps:
        """Return the three maps (B, H, W) from the neck's map (B, C, H/4, W/4)."""
        logits = self.probability_logits(features)
        threshold = torch.sigmoid(self.threshold(features).squeeze(1).float())
        binary = approximate_binarization(torch.sigmoid(logits), threshold, self.k)
        return DetectionMaps(logits, threshold, binary)

    def probability_logits(self, features: Tensor) -> Tensor:
        """Return the probability map's logits (B, H, W), all that inference needs."""
        logits: Tensor = self.probability(features).squeeze(1).float()
        return logits


def _branch(in_channels: int, channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(channels, channels, 2, stride=2, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(channels, 1, 2, stride=2),
    )
