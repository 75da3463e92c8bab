"""From a page in its own pixels to the network's input, image and polygons together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional

from ocr.data.target_maps import Polygon

# The coarsest features of the network have stride 32.
_SIZE_MULTIPLE_PX = 32


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How training pages vary; every draw is uniform, from torch's random numbers.

    Args:
        flip_probability: Of mirroring left and right; mirrored text is not text, hence 0.
        crop_probability: Of cutting a window out of the page, which then fills the input.
        crop_share_min: The least share of the page's height and width that such a window keeps.
        scale_min: Least size of the page relative to one that fills the input.
        scale_max: Largest such size; what then exceeds the input is cut off at random.
        rotation_deg: Largest rotation to either side.
        brightness: The largest change of the brightness factor around 1.
        contrast: The largest change of the contrast factor around 1.
        saturation: The largest change of the saturation factor around 1.
    """

    flip_probability: float = 0.0
    crop_probability: float = 0.25
    crop_share_min: float = 0.6
    scale_min: float = 0.8
    scale_max: float = 1.2
    rotation_deg: float = 2.0
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.1

    def __post_init__(self) -> None:
        for name in ("flip_probability", "crop_probability"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must lie between 0 and 1, not {getattr(self, name)}")
        if not 0.0 < self.crop_share_min <= 1.0:
            raise ValueError(f"crop_share_min must lie in (0, 1], not {self.crop_share_min}")
        if not 0.0 < self.scale_min <= self.scale_max:
            raise ValueError(
                f"0 < scale_min <= scale_max must hold, not {self.scale_min} and {self.scale_max}"
            )


@dataclass(frozen=True, eq=False)
class _Page:
    """An image and the corners of all its polygons, which torchvision transforms together."""

    image: tv_tensors.Image
    corners: tv_tensors.KeyPoints
    corner_counts: tuple[int, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.image.shape[-2:]
        return height, width

    @property
    def polygons(self) -> list[Polygon]:
        """The corners, polygon by polygon."""
        # The part behind the last polygon's end is empty.
        return np.split(self.corners.numpy(), np.cumsum(self.corner_counts, dtype=int))[:-1]

    def mapped(self, operation: str, *args: object, **options: object) -> "_Page":
        """Apply the operation of this name in `torchvision.transforms.v2.functional` to both."""
        apply = getattr(functional, operation)
        return replace(
            self,
            image=apply(self.image, *args, **options),
            corners=apply(self.corners, *args, **options),
        )


class DetectionTransforms:
    """The training and the evaluation pipeline, which share size and normalisation.

    Args:
        image_size: Side of the square input in pixels, a multiple of 32. A page's longest side is
            resized to it; the rest is padded on the right and at the bottom.
        mean: Of the RGB channels, scaled to 0..1; ImageNet's, which the backbones were trained on.
        std: Of the RGB channels, likewise.
        fill: Grey value, 0..255, of padding and of corners that a rotation lays open.
        min_visible_share: Polygons that a crop leaves less than this share of their area are
            dropped, others are cut at the border.
        augmentation: Of training pages; None for none.
    """

    def __init__(
        self,
        *,
        image_size: int = 640,
        mean: Sequence[float] = (0.485, 0.456, 0.406),
        std: Sequence[float] = (0.229, 0.224, 0.225),
        fill: int = 0,
        min_visible_share: float = 0.5,
        augmentation: Augmentation | None = None,
    ) -> None:
        if image_size <= 0 or image_size % _SIZE_MULTIPLE_PX:
            raise ValueError(
                f"image_size must be a positive multiple of {_SIZE_MULTIPLE_PX}, not {image_size}"
            )
        self.image_size = image_size
        self._mean, self._std = list(mean), list(std)
        self._fill = fill
        self._min_visible_share = min_visible_share
        self._augmentation = augmentation
        if augmentation is not None:
            self._jitter = v2.ColorJitter(
                augmentation.brightness, augmentation.contrast, augmentation.saturation
            )

    @property
    def varies_training_pages(self) -> bool:
        """Whether a training page differs from one epoch to the next."""
        return self._augmentation is not None

    def train(
        self, image: NDArray[np.uint8], polygons: Sequence[Polygon]
    ) -> tuple[Tensor, list[Polygon]]:
        """Return a randomly varied page; shapes as for `eval`."""
        if self._augmentation is None:
            return self.eval(image, polygons)
        return self._finish(self._vary(_to_page(image, polygons), self._augmentation))

    def eval(
        self, image: NDArray[np.uint8], polygons: Sequence[Polygon]
    ) -> tuple[Tensor, list[Polygon]]:
        """Return the page at the input's size.

        Args:
            image: (H, W, 3) RGB.
            polygons: (N, 2) each, in the image's pixels.

        Returns:
            The image, (3, S, S) float32, normalised, and the polygons that are still visible, in
            its pixels.
        """
        return self._finish(self._fit(self._clip(_to_page(image, polygons)), scale=1.0))

    def fitted_size(self, height: int, width: int, *, scale: float = 1.0) -> tuple[int, int]:
        """Return the height and width of a page whose longest side is the input's times `scale`."""
        factor = self.image_size * scale / max(height, width)
        return max(1, round(height * factor)), max(1, round(width * factor))

    def _vary(self, page: _Page, how: Augmentation) -> _Page:
        if _uniform(0.0, 1.0) < how.flip_probability:
            page = page.mapped("horizontal_flip")
        page = self._clip(page)
        if _uniform(0.0, 1.0) < how.crop_probability:
            height, width = page.size
            page = self._crop_at_random(
                page,
                max(1, round(height * _uniform(how.crop_share_min, 1.0))),
                max(1, round(width * _uniform(how.crop_share_min, 1.0))),
            )
        page = self._fit(page, scale=_uniform(how.scale_min, how.scale_max))
        angle_deg = _uniform(-how.rotation_deg, how.rotation_deg)
        if angle_deg != 0.0:
            page = page.mapped(
                "rotate", angle_deg, InterpolationMode.BILINEAR, expand=True, fill=self._fill
            )
        height, width = page.size
        page = self._crop_at_random(page, min(height, self.image_size), min(width, self.image_size))
        return replace(page, image=self._jitter(page.image))

    def _fit(self, page: _Page, *, scale: float) -> _Page:
        size = list(self.fitted_size(*page.size, scale=scale))
        return page.mapped("resize", size, interpolation=InterpolationMode.BILINEAR)

    def _crop_at_random(self, page: _Page, height: int, width: int) -> _Page:
        page_height, page_width = page.size
        if (height, width) == (page_height, page_width):
            return page
        top = int(torch.randint(page_height - height + 1, ()))
        left = int(torch.randint(page_width - width + 1, ()))
        return self._clip(page.mapped("crop", top, left, height, width))

    def _clip(self, page: _Page) -> _Page:
        """Cut the polygons at the border, before a rotation turns what lies outside into view."""
        height, width = page.size
        clipped = (_clipped(one, height, width, self._min_visible_share) for one in page.polygons)
        return _with_polygons(page.image, [one for one in clipped if one is not None])

    def _finish(self, page: _Page) -> tuple[Tensor, list[Polygon]]:
        height, width = page.size
        padding = [0, 0, self.image_size - width, self.image_size - height]
        padded = functional.pad(page.image, padding, fill=self._fill)
        scaled = functional.to_dtype(padded, torch.float32, scale=True)
        image = functional.normalize(scaled, self._mean, self._std, inplace=True)
        return image.as_subclass(Tensor), page.polygons


def _to_page(image: NDArray[np.uint8], polygons: Sequence[Polygon]) -> _Page:
    # Copied, since Pillow's arrays are read-only.
    return _with_polygons(
        tv_tensors.Image(torch.from_numpy(image.copy()).permute(2, 0, 1)), polygons
    )


def _with_polygons(image: tv_tensors.Image, polygons: Sequence[Polygon]) -> _Page:
    corners = np.concatenate([np.zeros((0, 2), dtype=np.float32), *polygons])
    return _Page(
        image=image,
        corners=tv_tensors.KeyPoints(
            torch.from_numpy(corners), canvas_size=tuple(image.shape[-2:])
        ),
        corner_counts=tuple(len(polygon) for polygon in polygons),
    )


def _uniform(low: float, high: float) -> float:
    return float(torch.empty(()).uniform_(low, high))


def _clipped(polygon: Polygon, height: int, width: int, min_visible_share: float) -> Polygon | None:
    """Return the part of the polygon inside the image, or None when too little of it is."""
    if polygon.min() >= 0 and (polygon <= (width, height)).all():
        return polygon
    whole = shapely.Polygon(polygon)
    parts = shapely.get_parts(shapely.clip_by_rect(whole, 0, 0, width, height))
    largest = max(parts, key=shapely.area, default=None)
    if largest is None or largest.area < min_visible_share * whole.area or largest.area == 0:
        return None
    # A ring's last point repeats its first.
    return shapely.get_coordinates(largest)[:-1].astype(np.float32)
