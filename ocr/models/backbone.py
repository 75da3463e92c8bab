"""Feature pyramids from timm image models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import timm
from timm.models import FeatureInfo
from torch import Tensor, nn

PYRAMID_STRIDES = (4, 8, 16, 32)


class Backbone(nn.Module):
    """A timm model that returns its features at strides 4, 8, 16 and 32.

    Args:
        name: a timm model name that supports ``features_only``, such as ``resnet18``.
        pretrained: load timm's published weights (timm downloads them).
        in_channels: channels of the input image.
        options: further keyword arguments of the timm model, such as ``channels`` of a ResNet.

    Raises:
        ValueError: the model offers no feature map at one of the four strides.
    """

    def __init__(
        self,
        *,
        name: str = "resnet18",
        pretrained: bool = False,
        in_channels: int = 3,
        options: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__()
        arguments: dict[str, Any] = dict(options or {})
        self.body = timm.create_model(
            name, pretrained=pretrained, features_only=True, in_chans=in_channels, **arguments
        )
        info = cast(FeatureInfo, self.body.feature_info)
        strides: list[int] = info.reduction()
        missing = [stride for stride in PYRAMID_STRIDES if stride not in strides]
        if missing:
            raise ValueError(
                f"timm model {name!r} has features at strides {strides}, none at {missing}; "
                "choose a model with strides 4, 8, 16 and 32"
            )
        self._positions = [strides.index(stride) for stride in PYRAMID_STRIDES]
        channels: list[int] = info.channels()
        self.out_channels = [channels[position] for position in self._positions]

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return four maps (B, C_i, H/s_i, W/s_i), strides 4 to 32, from images (B, 3, H, W)."""
        features = self.body(images)
        return [features[position] for position in self._positions]
