"""What a data loader hands to the training: samples, batches, and how one becomes the other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ocr.data import target_maps
from ocr.data.map_cache import CacheKind, MapCache, PackedMaps, digest_of, make_map_cache
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
    """Stack samples and draw their target maps, with arguments for `make_target_maps`.

    Args:
        shrink_ratio: See there, as for the next three.
        threshold_min: Likewise.
        threshold_max: Likewise.
        min_side_px: Likewise.
        cache: Where maps are kept to be used again: `none` makes them for each batch, `memory`
            keeps them in each loader worker (7 bytes a pixel and page, in every worker in the
            end), `disk` in files that all workers and later runs share. For pages whose polygons
            are the same in each epoch.
        cache_dir: Folder of the files of `disk`.
    """

    shrink_ratio: float = 0.4
    threshold_min: float = 0.3
    threshold_max: float = 0.7
    min_side_px: float = 3.0
    cache: CacheKind = "none"
    cache_dir: str | Path | None = None
    _kept: MapCache | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0.0 < self.shrink_ratio < 1.0:
            raise ValueError(f"shrink_ratio must lie between 0 and 1, not {self.shrink_ratio}")
        if not 0.0 <= self.threshold_min < self.threshold_max <= 1.0:
            raise ValueError(
                "0 <= threshold_min < threshold_max <= 1 must hold, not "
                f"{self.threshold_min} and {self.threshold_max}"
            )
        # The settings are frozen, and what has been kept is none of them.
        object.__setattr__(self, "_kept", make_map_cache(self.cache, self.cache_dir))

    def __call__(self, samples: Sequence[DetectionSample]) -> DetectionBatch:
        """Return the batch; all samples have images of one size."""
        maps = [self._maps_of(sample) for sample in samples]
        return DetectionBatch(
            images=torch.stack([sample.image for sample in samples]),
            shrink_maps=_stacked([one.shrink_map for one in maps]),
            shrink_masks=_stacked([one.shrink_mask for one in maps]),
            threshold_maps=_stacked([one.threshold_map for one in maps]),
            threshold_masks=_stacked([one.threshold_mask for one in maps]),
            polygons=[sample.polygons for sample in samples],
            image_paths=[sample.image_path for sample in samples],
        )

    def _maps_of(self, sample: DetectionSample) -> target_maps.TargetMaps | PackedMaps:
        height, width = sample.image.shape[-2:]
        settings = {
            "shrink_ratio": self.shrink_ratio,
            "threshold_min": self.threshold_min,
            "threshold_max": self.threshold_max,
            "min_side_px": self.min_side_px,
        }
        # Looked up in its module at each call, so that it can be timed by its dotted name.
        if self._kept is None:
            return target_maps.make_target_maps(sample.polygons, height, width, **settings)
        digest = digest_of(sample.polygons, height, width, settings)
        kept = self._kept.get(digest)
        if kept is not None:
            return kept
        maps = target_maps.make_target_maps(sample.polygons, height, width, **settings)
        self._kept.put(digest, maps)
        return maps


def _stacked(maps: Sequence[Map | NDArray[np.bool_]]) -> Tensor:
    stacked = np.empty((len(maps), *maps[0].shape), dtype=np.float32)
    for position, one in enumerate(maps):
        stacked[position] = one
    return torch.from_numpy(stacked)
