"""What a data loader hands to the training: samples, batches, and how one becomes the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor

from ocr.data import target_maps
from ocr.data.target_maps import Map, Polygon


@dataclass(frozen=True, kw_only=True, eq=False)
class DetectionSample:
    """One page as the network sees it.

    `image` is (3, H, W) float32, normalised; `polygons` are (N, 2) float32 in its pixels.
    """

    image: Tensor
    polygons: list[Polygon]
    image_path: str


class DetectionBatch(TypedDict):
    """B pages of one size; Lightning reads the batch size from the first entry.

    `images` is (B, 3, H, W) float32; the four maps are (B, H, W) float32 (see
    `ocr.data.target_maps.TargetMaps`); `polygons` holds, for each page, (N, 2) float32 arrays in
    network-input pixels.
    """

    images: Tensor
    shrink_maps: Tensor
    shrink_masks: Tensor
    threshold_maps: Tensor
    threshold_masks: Tensor
    polygons: list[list[Polygon]]
    image_paths: list[str]


@dataclass(frozen=True, kw_only=True)
class DetectionCollate:
    """Stack samples and draw their target maps; the arguments are those of `make_target_maps`."""

    shrink_ratio: float = 0.4
    threshold_min: float = 0.3
    threshold_max: float = 0.7
    min_side_px: float = 3.0

    def __post_init__(self) -> None:
        if not 0.0 < self.shrink_ratio < 1.0:
            raise ValueError(f"shrink_ratio must lie between 0 and 1, not {self.shrink_ratio}")
        if not 0.0 <= self.threshold_min < self.threshold_max <= 1.0:
            raise ValueError(
                "0 <= threshold_min < threshold_max <= 1 must hold, not "
                f"{self.threshold_min} and {self.threshold_max}"
            )

    def __call__(self, samples: Sequence[DetectionSample]) -> DetectionBatch:
        """Return the batch; all samples have images of one size."""
        maps = [self._make_maps(sample) for sample in samples]
        return DetectionBatch(
            images=torch.stack([sample.image for sample in samples]),
            shrink_maps=_stacked([one.shrink_map for one in maps]),
            shrink_masks=_stacked([one.shrink_mask for one in maps]),
            threshold_maps=_stacked([one.threshold_map for one in maps]),
            threshold_masks=_stacked([one.threshold_mask for one in maps]),
            polygons=[sample.polygons for sample in samples],
            image_paths=[sample.image_path for sample in samples],
        )

    def _make_maps(self, sample: DetectionSample) -> target_maps.TargetMaps:
        height, width = sample.image.shape[-2:]
        # Looked up in its module at each call, so that it can be timed by its dotted name.
        return target_maps.make_target_maps(
            sample.polygons,
            height,
            width,
            shrink_ratio=self.shrink_ratio,
            threshold_min=self.threshold_min,
            threshold_max=self.threshold_max,
            min_side_px=self.min_side_px,
        )


def _stacked(maps: list[Map]) -> Tensor:
    return torch.from_numpy(np.stack(maps))
