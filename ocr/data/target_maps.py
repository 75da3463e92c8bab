"""The maps that DBNet learns from: text kernels, and a threshold that peaks on text borders.

After Liao et al., "Real-time Scene Text Detection with Differentiable Binarization", AAAI 2020,
section "Label generation" and the authors' code: a text's kernel is its polygon shrunk by
D = A (1 - r^2) / L, with A its area, L its perimeter and r the shrink ratio (0.4); the threshold
map falls off linearly with the distance to the polygon's border, over D pixels on both sides.
Pixel (row y, column x) is the point (x, y).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pyclipper
from numpy.typing import NDArray

Map = NDArray[np.float32]
Polygon = NDArray[np.float32]

# pyclipper and OpenCV take integers: both get coordinates in 1/256 px.
_FRACTION_BITS = 8
_UNITS_PER_PX = 1 << _FRACTION_BITS
# Clipper's own default, a quarter of its unit, would put hundreds of points on each corner.
_ARC_TOLERANCE = 0.25 * _UNITS_PER_PX


@dataclass(frozen=True, kw_only=True, eq=False)
class TargetMaps:
    """Four (H, W) float32 maps of one image.

    `shrink_map` is 1 in text kernels, else 0; `shrink_mask` is 0 where that can't be said (texts
    too small to have a kernel), else 1. `threshold_map` lies between the two thresholds;
    `threshold_mask` is 1 in the dilated polygons, the only places where it counts.
    """

    shrink_map: Map
    shrink_mask: Map
    threshold_map: Map
    threshold_mask: Map


def make_target_maps(
    polygons: Sequence[Polygon],
    height: int,
    width: int,
    shrink_ratio: float = 0.4,
    threshold_min: float = 0.3,
    threshold_max: float = 0.7,
    min_side_px: float = 3.0,
) -> TargetMaps:
    """Draw the target maps of one image.

    Args:
        polygons: (N, 2) each, in pixels; parts outside the image are cut off.
        height: Of the image and the maps, in pixels.
        width: Of the image and the maps, in pixels.
        shrink_ratio: r above; the paper's is 0.4.
        threshold_min: Of the threshold map, away from borders; the paper's is 0.3.
        threshold_max: Of the threshold map, on borders; the paper's is 0.7.
        min_side_px: Texts whose bounding box has a side shorter than this are ignored, as are
            texts whose kernel vanishes. The authors' code uses 8 on photographs; lines of a whole
            receipt at 640 px are often lower than that.
    """
    shrink_map = np.zeros((height, width), dtype=np.float32)
    shrink_mask = np.ones((height, width), dtype=np.float32)
    closeness = np.zeros((height, width), dtype=np.float32)
    threshold_mask = np.zeros((height, width), dtype=np.float32)
    for polygon in polygons:
        distance_px = offset_distance_px(polygon, shrink_ratio)
        has_area = distance_px > 0  # a bow tie's halves can cancel
        is_text = has_area and _is_legible(polygon, min_side_px)
        kernels = _offset(polygon, -distance_px) if is_text else []
        if not kernels:
            _fill(shrink_mask, [_to_units(polygon)], 0.0)
            continue
        _fill(shrink_map, kernels, 1.0)
        _draw_border(closeness, threshold_mask, polygon, distance_px)
    closeness *= threshold_max - threshold_min
    closeness += threshold_min
    return TargetMaps(
        shrink_map=shrink_map,
        shrink_mask=shrink_mask,
        threshold_map=closeness,
        threshold_mask=threshold_mask,
    )


def offset_distance_px(polygon: Polygon, shrink_ratio: float) -> float:
    """Return D = A (1 - r^2) / L in pixels, or 0 for a polygon without length (see above)."""
    following = np.roll(polygon, -1, axis=0)
    edges = following - polygon
    perimeter_px = float(np.hypot(edges[:, 0], edges[:, 1]).sum())
    if perimeter_px == 0:
        return 0.0
    crossed = polygon[:, 0] * following[:, 1] - polygon[:, 1] * following[:, 0]
    area_px2 = 0.5 * abs(float(crossed.sum(dtype=np.float64)))
    return area_px2 * (1.0 - shrink_ratio**2) / perimeter_px


def _is_legible(polygon: Polygon, min_side_px: float) -> bool:
    return float(np.ptp(polygon, axis=0).min()) >= min_side_px


def _to_units(polygon: Polygon) -> NDArray[np.int32]:
    return np.rint(polygon * _UNITS_PER_PX).astype(np.int32)


def _offset(polygon: Polygon, distance_px: float) -> list[NDArray[np.int32]]:
    """Return the polygons, in units, that remain when the border moves outward by a distance."""
    offset = pyclipper.PyclipperOffset(2.0, _ARC_TOLERANCE)
    offset.AddPath(_to_units(polygon).tolist(), pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)
    return [np.array(path, dtype=np.int32) for path in offset.Execute(distance_px * _UNITS_PER_PX)]


def _fill(target: Map, outlines: Sequence[NDArray[np.int32]], value: float) -> None:
    cv2.fillPoly(target, outlines, (value,), shift=_FRACTION_BITS)


def _draw_border(closeness: Map, mask: Map, polygon: Polygon, distance_px: float) -> None:
    """Raise `closeness` to 1 on the polygon's border, falling to 0 at the distance from it."""
    height, width = closeness.shape
    left, top = np.floor(polygon.min(axis=0) - distance_px).astype(int)
    right, bottom = np.ceil(polygon.max(axis=0) + distance_px).astype(int) + 1
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if left >= right or top >= bottom:
        return
    _fill(mask, _offset(polygon, distance_px), 1.0)
    near = _squared_distances(
        polygon, np.arange(left, right, dtype=np.float32), np.arange(top, bottom, dtype=np.float32)
    )
    np.sqrt(near, out=near)
    near /= -distance_px
    near += 1.0
    patch = closeness[top:bottom, left:right]
    np.maximum(patch, near, out=patch)


def _squared_distances(polygon: Polygon, columns: Map, rows: Map) -> Map:
    """Return the squared distance of each grid point to the polygon's border, (rows, columns)."""
    nearest = np.full((rows.size, columns.size), np.inf, dtype=np.float32)
    along, away = np.empty_like(nearest), np.empty_like(nearest)
    for start, end in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        step_x, step_y = end - start
        squared_length = step_x * step_x + step_y * step_y
        if squared_length == 0:
            continue
        from_x, from_y = (columns - start[0])[None, :], (rows - start[1])[:, None]
        # The foot of the perpendicular, as a share of the edge; beyond its ends, the end.
        np.add(from_x * (step_x / squared_length), from_y * (step_y / squared_length), out=along)
        np.maximum(along, 0.0, out=along)
        np.minimum(along, 1.0, out=along)
        np.multiply(along, step_x, out=away)
        np.subtract(from_x, away, out=away)
        np.multiply(away, away, out=away)
        np.multiply(along, step_y, out=along)
        np.subtract(from_y, along, out=along)
        np.multiply(along, along, out=along)
        away += along
        np.minimum(nearest, away, out=nearest)
    return nearest
