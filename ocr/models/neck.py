"""The feature pyramid that merges a backbone's four strides into one map."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class FeaturePyramid(nn.Module):
    """Top-down pyramid whose levels are smoothed, brought to stride 4 and concatenated.

    The layout of the DBNet paper (Liao et al., "Real-time Scene Text Detection with
    Differentiable Binarization", AAAI 2020, figure 3).

    Args:
        in_channels: channels of the backbone's maps, finest first.
        inner_channels: channels of the lateral 1x1 convolutions.
        out_channels: channels of the concatenated map; a multiple of the number of levels.

    Raises:
        ValueError: `out_channels` can't be shared out evenly among the levels.
    """

    def __init__(
        self, in_channels: Sequence[int], *, inner_channels: int = 256, out_channels: int = 256
    ) -> None:
        super().__init__()
        level_channels, rest = divmod(out_channels, len(in_channels))
        if rest:
            raise ValueError(
                f"out_channels={out_channels} is no multiple of the {len(in_channels)} levels"
            )
        self.laterals = nn.ModuleList(
            nn.Conv2d(channels, inner_channels, 1, bias=False) for channels in in_channels
        )
        self.smooths = nn.ModuleList(
            nn.Conv2d(inner_channels, level_channels, 3, padding=1, bias=False) for _ in in_channels
        )
        self.out_channels = out_channels

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Return (B, out_channels, H/4, W/4) from maps (B, C_i, H/s_i, W/s_i), finest first."""
        merged = [lateral(level) for lateral, level in zip(self.laterals, features, strict=True)]
        for index in range(len(merged) - 2, -1, -1):
            merged[index] = merged[index] + _resized_like(merged[index + 1], merged[index])
        smoothed = [smooth(level) for smooth, level in zip(self.smooths, merged, strict=True)]
        finest = smoothed[0]
        coarser = [_resized_like(level, finest) for level in smoothed[1:]]
        return torch.cat([finest, *coarser], dim=1)


def _resized_like(level: Tensor, target: Tensor) -> Tensor:
    return functional.interpolate(level, size=target.shape[-2:], mode="nearest")
