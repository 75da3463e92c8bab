"""DBNet: backbone, neck and head as one text-detection network."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ocr.models.backbone import PYRAMID_STRIDES, Backbone
from ocr.models.head import BinarizationHead, DetectionMaps
from ocr.models.neck import FeaturePyramid


class DBNet(nn.Module):
    """The text detector of Liao et al., AAAI 2020, on any timm backbone.

    Args:
        backbone: the timm model's name.
        pretrained: load timm's published weights.
        backbone_options: further keyword arguments of the timm model.
        neck_channels: channels inside the feature pyramid.
        feature_channels: channels of the map that the head reads.
        k: amplification factor of approximate binarization.
    """

    def __init__(
        self,
        *,
        backbone: str = "resnet18",
        pretrained: bool = False,
        backbone_options: Mapping[str, object] | None = None,
        neck_channels: int = 256,
        feature_channels: int = 256,
        k: float = 50.0,
    ) -> None:
        super().__init__()
        self.backbone = Backbone(name=backbone, pretrained=pretrained, options=backbone_options)
        self.neck = FeaturePyramid(
            self.backbone.out_channels,
            inner_channels=neck_channels,
            out_channels=feature_channels,
        )
        self.head = BinarizationHead(feature_channels, k=k)
        for part in (self.neck, self.head):
            part.apply(_initialize_convolution)

    def forward(self, images: Tensor) -> DetectionMaps:
        """Return the three maps (B, H, W) of images (B, 3, H, W).

        Raises:
            ValueError: the height or the width is no multiple of 32.
        """
        maps: DetectionMaps = self.head(self._features(images))
        return maps

    def predict_probability(self, images: Tensor) -> Tensor:
        """Return the probability map (B, H, W) in [0, 1] without the threshold branch.

        Raises:
            ValueError: the height or the width is no multiple of 32.
        """
        return torch.sigmoid(self.head.probability_logits(self._features(images)))

    def _features(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        stride = PYRAMID_STRIDES[-1]
        if height % stride or width % stride:
            raise ValueError(
                f"images of {height}x{width} pixels: both sides must be multiples of {stride}"
            )
        features: Tensor = self.neck(self.backbone(images))
        return features


def _initialize_convolution(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    elif isinstance(module, nn.ConvTranspose2d):
        # Kernel and stride are equal, so each output pixel sums over the input channels alone.
        nn.init.normal_(module.weight, std=module.in_channels**-0.5)
