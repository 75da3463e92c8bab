"""Probability maps to text polygons, in numpy, OpenCV and pyclipper, without torch.

The procedure of the DBNet paper (Liao et al., AAAI 2020, section 3.5): threshold, contours,
mean score of each region, offset outwards. `cv2.findContours` and
`pyclipper.PyclipperOffset` are looked up on their modules at each call, so that a profiler
that replaces them there sees the calls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import cv2
import numpy as np
import pyclipper
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cv2.typing import MatLike, RotatedRect

FloatArray: TypeAlias = NDArray[np.float32]
Outline = Literal["box", "polygon"]
Unclip = Literal["pyclipper", "analytic"]

# pyclipper computes on integers; a 64th of a pixel is far below a map's own precision.
_CLIPPER_UNITS_PER_PIXEL = 64
_MITER_LIMIT = 2.0  # Clipper's default; round corners don't use it
# Clipper's default of a quarter of its unit would put dozens of points on each corner.
_ARC_TOLERANCE = 0.25 * _CLIPPER_UNITS_PER_PIXEL


class Detection(NamedTuple):
    """One text region: its outline (N, 2) as x, y in map pixels, and its score in [0, 1]."""

    polygon: FloatArray
    score: float


@dataclass(frozen=True, kw_only=True)
class BoxExtractor:
    """Turns a probability map into scored text regions.

    Args:
        threshold: a pixel with a higher probability is text. One half is the border of what was
            learnt, which is what `unclip_ratio=None` undoes; the DBNet paper takes 0.3 with 1.5.
        box_threshold: a region with a lower mean probability is dropped.
        unclip_ratio: a region grows by area x ratio / perimeter, 1.5 in the paper. None grows it
            by the distance that undoes the targets' shrinking, see `unshrink_distance_px`.
        shrink_ratio: the targets' shrink ratio; read when `unclip_ratio` is None.
        max_candidates: the most regions looked at; the largest are kept.
        min_size_px: a region whose shorter side is below this, after growing, is dropped.
        outline: `box` for the minimum-area rectangle, `polygon` for the simplified contour.
        polygon_tolerance: simplification tolerance of `polygon` as a share of the perimeter.
        unclip: how a region grows: `pyclipper` offsets its outline with round corners; `analytic`,
            for boxes only, makes the sides of the rectangle longer, which gives the same box (see
            `enlarged_box`) at a fraction of the cost.

    Raises:
        ValueError: a value lies outside its range, or `unclip` doesn't fit `outline`.
    """

    threshold: float = 0.5
    box_threshold: float = 0.6
    unclip_ratio: float | None = None
    shrink_ratio: float = 0.4
    max_candidates: int = 300
    min_size_px: float = 3.0
    outline: Outline = "box"
    polygon_tolerance: float = 0.002
    unclip: Unclip = "pyclipper"

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < 1 or not 0 <= self.box_threshold <= 1:
            raise ValueError(
                f"threshold={self.threshold} and box_threshold={self.box_threshold} "
                "must lie between 0 and 1"
            )
        if not 0 < self.shrink_ratio <= 1:
            raise ValueError(f"shrink_ratio={self.shrink_ratio} must lie in (0, 1]")
        if self.unclip_ratio is not None and self.unclip_ratio < 0:
            raise ValueError(f"unclip_ratio={self.unclip_ratio} must not be negative")
        if self.max_candidates < 1:
            raise ValueError(f"max_candidates={self.max_candidates} must be at least 1")
        if self.outline not in ("box", "polygon"):
            raise ValueError(f"outline={self.outline!r} must be 'box' or 'polygon'")
        if self.unclip not in ("pyclipper", "analytic"):
            raise ValueError(f"unclip={self.unclip!r} must be 'pyclipper' or 'analytic'")
        if self.unclip == "analytic" and self.outline != "box":
            raise ValueError(
                f"unclip='analytic' grows boxes only: outline={self.outline!r} needs "
                "unclip='pyclipper'"
            )

    def __call__(self, probability: FloatArray) -> list[Detection]:
        """Return the text regions of a probability map (H, W) in [0, 1].

        Polygons are clipped to the map.

        Raises:
            ValueError: the map isn't two-dimensional.
        """
        if probability.ndim != 2:
            raise ValueError(f"a probability map has two dimensions, not {probability.ndim}")
        mask = (probability > self.threshold).astype(np.uint8)
        detections = []
        for contour in largest_contours(outer_contours(mask), self.max_candidates):
            score = region_score(probability, contour)
            if score < self.box_threshold:
                continue
            polygon = self._grown_outline(contour)
            if polygon is not None:
                detections.append(Detection(_clipped(polygon, probability.shape), score))
        return detections

    def _grown_outline(self, contour: MatLike) -> FloatArray | None:
        return self._grown_box(contour) if self.outline == "box" else self._grown_polygon(contour)

    def _grown_box(self, contour: MatLike) -> FloatArray | None:
        box = cv2.minAreaRect(contour)
        width, height = box[1]
        distance_px = self._distance_px(width * height, 2.0 * (width + height))
        if self.unclip == "analytic":
            grown = enlarged_box(box, distance_px)
        else:
            grown = offset_box(box, distance_px)
        if grown is None or min(grown[1]) < self.min_size_px:
            return None
        return cv2.boxPoints(grown).astype(np.float32)

    def _grown_polygon(self, contour: MatLike) -> FloatArray | None:
        tolerance_px = self.polygon_tolerance * cv2.arcLength(contour, True)
        outline = cv2.approxPolyDP(contour, tolerance_px, True)[:, 0].astype(np.float32)
        distance_px = self._distance_px(cv2.contourArea(outline), cv2.arcLength(outline, True))
        grown = offset_polygon(outline, distance_px)
        if grown is None or min(cv2.minAreaRect(grown)[1]) < self.min_size_px:
            return None
        return grown

    def _distance_px(self, area: float, perimeter: float) -> float:
        if self.unclip_ratio is None:
            return unshrink_distance_px(area, perimeter, self.shrink_ratio)
        return area * self.unclip_ratio / perimeter if perimeter else 0.0


def outer_contours(mask: NDArray[np.uint8]) -> list[MatLike]:
    """Return the outer contour (N, 1, 2) of each connected region of a mask (H, W).

    Contours of holes are left out: around a hole of a pixel or two they would be regions of
    their own, with a high score.
    """
    contours, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return []
    parents = hierarchy[0, :, 3]
    return [contour for contour, parent in zip(contours, parents, strict=True) if parent < 0]


def largest_contours(contours: Sequence[MatLike], limit: int) -> Sequence[MatLike]:
    """Return at most `limit` contours (N, 1, 2), those with the largest bounding boxes."""
    if len(contours) <= limit:
        return contours
    sizes = [math.prod(cv2.boundingRect(contour)[2:]) for contour in contours]
    return [contours[index] for index in np.argsort(sizes)[::-1][:limit]]


def region_score(probability: FloatArray, contour: MatLike) -> float:
    """Return the mean probability inside a contour (N, 1, 2), its border included."""
    left, top, width, height = cv2.boundingRect(contour)
    inside = np.zeros((height, width), dtype=np.uint8)
    cv2.fillPoly(inside, [contour - np.array([left, top], dtype=np.int32)], 1)
    window = np.ascontiguousarray(probability[top : top + height, left : left + width])
    return float(cv2.mean(window, inside)[0])


def unshrink_distance_px(area: float, perimeter: float, shrink_ratio: float) -> float:
    """Return the outward offset that undoes the targets' shrinking of a rectangle.

    The targets shrink an outline of area A and perimeter L by D = A (1 - r^2) / L (DBNet paper,
    equation 9). For a rectangle A = a + l D + 4 D^2 and L = l + 8 D, with a and l measured after
    the shrinking; D is the positive root of 4 (1 + r^2) D^2 + r^2 l D - (1 - r^2) a = 0.

    Args:
        area: area a of the shrunk outline, in square pixels.
        perimeter: perimeter l of the shrunk outline, in pixels.
        shrink_ratio: the ratio r.
    """
    ratio_squared = shrink_ratio**2
    linear = perimeter * ratio_squared
    root = math.sqrt(linear**2 + 16.0 * (1.0 - ratio_squared**2) * area)
    return (root - linear) / (8.0 * (1.0 + ratio_squared))


def offset_polygon(polygon: FloatArray, distance_px: float) -> FloatArray | None:
    """Return the polygon (N, 2) grown by a distance with round corners.

    None where nothing is left, as for an outline without an area; the largest part where the
    offset falls apart.
    """
    offsetter = pyclipper.PyclipperOffset(_MITER_LIMIT, _ARC_TOLERANCE)
    scaled = np.rint(polygon * _CLIPPER_UNITS_PER_PIXEL).astype(np.int64)
    try:
        offsetter.AddPath(scaled.tolist(), pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)
    except pyclipper.ClipperException:  # raised for a path that collapses to a point or a line
        return None
    parts = offsetter.Execute(distance_px * _CLIPPER_UNITS_PER_PIXEL)
    if not parts:
        return None
    outlines = [(np.asarray(part) / _CLIPPER_UNITS_PER_PIXEL).astype(np.float32) for part in parts]
    return max(outlines, key=cv2.contourArea)


def offset_box(box: RotatedRect, distance_px: float) -> RotatedRect | None:
    """Return the minimum-area rectangle of a box that pyclipper grew with round corners.

    None for a box without an area.
    """
    grown = offset_polygon(cv2.boxPoints(box).astype(np.float32), distance_px)
    return None if grown is None else cv2.minAreaRect(grown)


def enlarged_box(box: RotatedRect, distance_px: float) -> RotatedRect | None:
    """Return a box with each side moved outwards by a distance, None for one without an area.

    This is the minimum-area rectangle of the w x h box grown by d with round corners: turned by
    an angle t, with c = |cos t| and s = |sin t|, a rectangle around it has the area
    (w c + h s + 2 d) (w s + h c + 2 d) = c s (w^2 + h^2) + w h + 2 d (w + h) (c + s) + 4 d^2,
    which is least at t = 0. With both sides below 3 px and a large d that shape is nearly a circle,
    whose rectangle pyclipper's rounding may turn.
    """
    centre, (width, height), angle_deg = box
    if width <= 0 or height <= 0:
        return None
    return centre, (width + 2.0 * distance_px, height + 2.0 * distance_px), angle_deg


def _clipped(polygon: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    height, width = shape
    return np.clip(polygon, 0.0, np.array([width, height], dtype=np.float32))
