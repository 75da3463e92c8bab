from __future__ import annotations

import math

import numpy as np
import pyclipper
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ocr.data.target_maps import make_target_maps, offset_distance_px
from tests.property_sizes import examples

Polygon = NDArray[np.float32]

HEIGHT, WIDTH = 48, 72
QUADS: dict[str, list[list[float]]] = {
    "an upright box": [[10, 10], [50, 10], [50, 26], [10, 26]],
    "the same, counterclockwise": [[10, 10], [10, 26], [50, 26], [50, 10]],
    "a tilted box": [[12.3, 9.7], [51.1, 14.2], [49.4, 28.6], [10.8, 24.3]],
    "a triangle": [[20, 5], [60, 38], [8, 40]],
    "an L": [[10, 6], [60, 6], [60, 18], [26, 18], [26, 42], [10, 42]],
    "a box across the border": [[-14, 20], [30, 20], [30, 40], [-14, 40]],
    "a repeated point": [[10, 10], [50, 10], [50, 10], [50, 26], [10, 26]],
}


def polygon_of(points: list[list[float]]) -> Polygon:
    return np.array(points, dtype=np.float32)


def distance_to_segment(x: float, y: float, start: Polygon, end: Polygon) -> float:
    (ax, ay), (bx, by) = start.tolist(), end.tolist()
    length2 = (bx - ax) ** 2 + (by - ay) ** 2
    share = 0.0 if length2 == 0 else ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length2
    share = min(max(share, 0.0), 1.0)
    return math.hypot(x - ax - share * (bx - ax), y - ay - share * (by - ay))


def slow_distances(polygon: Polygon) -> NDArray[np.float64]:
    """Distance of each pixel to the polygon's border, one pixel and one edge at a time."""
    distances = np.empty((HEIGHT, WIDTH))
    for y in range(HEIGHT):
        for x in range(WIDTH):
            distances[y, x] = min(
                distance_to_segment(x, y, polygon[i - 1], polygon[i]) for i in range(len(polygon))
            )
    return distances


def inside(shape: shapely.Geometry) -> NDArray[np.bool_]:
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    return np.asarray(shapely.intersects_xy(shape, x, y))


def paper_distance_px(polygon: Polygon, shrink_ratio: float = 0.4) -> float:
    shape = shapely.Polygon(polygon)
    return shape.area * (1 - shrink_ratio**2) / shape.length


@pytest.mark.parametrize("points", QUADS.values(), ids=QUADS.keys())
def test_the_threshold_map_falls_linearly_with_the_distance_to_the_border(
    points: list[list[float]],
) -> None:
    polygon = polygon_of(points)
    distance_px = paper_distance_px(polygon)
    expected = 0.3 + 0.4 * np.clip(1 - slow_distances(polygon) / distance_px, 0, 1)
    maps = make_target_maps([polygon], HEIGHT, WIDTH)
    np.testing.assert_allclose(maps.threshold_map, expected, atol=1e-3)


@pytest.mark.parametrize("points", QUADS.values(), ids=QUADS.keys())
def test_kernel_and_threshold_mask_are_the_polygon_moved_by_the_papers_distance(
    points: list[list[float]],
) -> None:
    polygon = polygon_of(points)
    shape, distance_px = shapely.Polygon(polygon), paper_distance_px(polygon)
    maps = make_target_maps([polygon], HEIGHT, WIDTH)
    # A drawn outline covers the pixels that it crosses, so a pixel's width either way is free.
    for drawn, moved in (
        (maps.shrink_map, shape.buffer(-distance_px)),
        (maps.threshold_mask, shape.buffer(distance_px)),
    ):
        assert drawn[inside(moved.buffer(-0.1))].all()
        assert not drawn[~inside(moved.buffer(1.0))].any()
    assert maps.shrink_mask.all()


def test_a_polygon_whose_halves_cancel_is_ignored() -> None:
    bow_tie = polygon_of([[0.0, 3.0], [3.0, 1.0], [0.0, 0.0], [3.0, 0.0]])
    maps = make_target_maps([bow_tie], HEIGHT, WIDTH, min_side_px=0)
    assert np.isfinite(maps.threshold_map).all()
    assert not maps.shrink_map.any()
    assert not maps.shrink_mask.all()


def test_maps_are_float32_of_the_images_size_and_hold_nothing_else_than_they_may() -> None:
    maps = make_target_maps([polygon_of(points) for points in QUADS.values()], HEIGHT, WIDTH)
    for one in (maps.shrink_map, maps.shrink_mask, maps.threshold_map, maps.threshold_mask):
        assert one.shape == (HEIGHT, WIDTH)
        assert one.dtype == np.float32
    for mask in (maps.shrink_map, maps.shrink_mask, maps.threshold_mask):
        assert set(np.unique(mask)) <= {0.0, 1.0}
    assert maps.threshold_map.min() >= 0.3 - 1e-6
    assert maps.threshold_map.max() <= 0.7 + 1e-6


def test_a_page_without_words_is_all_background() -> None:
    maps = make_target_maps([], HEIGHT, WIDTH)
    assert not maps.shrink_map.any()
    assert maps.shrink_mask.all()
    assert not maps.threshold_mask.any()
    assert np.all(maps.threshold_map == np.float32(0.3))


def test_a_word_too_small_to_read_is_ignored_where_it_stands() -> None:
    maps = make_target_maps([polygon_of([[10, 10], [40, 10], [40, 12], [10, 12]])], HEIGHT, WIDTH)
    assert not maps.shrink_map.any()
    assert not maps.threshold_mask.any()
    assert not maps.shrink_mask[10:13, 10:41].any()
    assert maps.shrink_mask.sum() == HEIGHT * WIDTH - 3 * 31


def test_a_word_too_thin_to_have_a_kernel_is_ignored_where_it_stands() -> None:
    hair = polygon_of([[5, 5], [40, 40], [40.001, 40]])
    maps = make_target_maps([hair], HEIGHT, WIDTH)
    assert not maps.shrink_map.any()
    assert not maps.threshold_mask.any()
    assert not maps.shrink_mask.diagonal()[5:41].any()


@pytest.mark.parametrize(
    "points", [[[5, 5], [5, 5], [5, 5]], [[5, 5], [25, 25], [45, 45]], [[5, 9], [45, 9], [60, 9]]]
)
def test_a_polygon_without_area_does_not_break_the_maps(points: list[list[float]]) -> None:
    maps = make_target_maps([polygon_of(points)], HEIGHT, WIDTH)
    assert not maps.shrink_map.any()
    assert np.isfinite(maps.threshold_map).all()


def test_a_polygon_outside_the_image_leaves_no_mark() -> None:
    far = polygon_of([[200, 200], [260, 200], [260, 230], [200, 230]])
    maps, empty = make_target_maps([far], HEIGHT, WIDTH), make_target_maps([], HEIGHT, WIDTH)
    for name in ("shrink_map", "shrink_mask", "threshold_map", "threshold_mask"):
        np.testing.assert_array_equal(getattr(maps, name), getattr(empty, name))


def test_where_borders_meet_the_nearer_one_counts() -> None:
    boxes = [
        polygon_of([[5, 5], [40, 5], [40, 20], [5, 20]]),
        polygon_of([[5, 21], [40, 21], [40, 36], [5, 36]]),
    ]
    both = make_target_maps(boxes, HEIGHT, WIDTH).threshold_map
    alone = [make_target_maps([box], HEIGHT, WIDTH).threshold_map for box in boxes]
    np.testing.assert_allclose(both, np.maximum(*alone), atol=1e-6)


def test_the_thresholds_and_the_ratio_are_arguments() -> None:
    polygon = polygon_of(QUADS["an upright box"])
    maps = make_target_maps([polygon], HEIGHT, WIDTH, 0.7, threshold_min=0.2, threshold_max=0.9)
    assert maps.threshold_map.min() == pytest.approx(0.2)
    assert maps.threshold_map.max() == pytest.approx(0.9)
    assert maps.shrink_map.sum() > make_target_maps([polygon], HEIGHT, WIDTH).shrink_map.sum()


def test_every_offset_goes_through_pyclippers_execute(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    class Counted(pyclipper.PyclipperOffset):  # type: ignore[misc]  # the package has no types
        def Execute(self, delta: float) -> object:
            nonlocal calls
            calls += 1
            return super().Execute(delta)

    monkeypatch.setattr(pyclipper, "PyclipperOffset", Counted)
    make_target_maps([polygon_of(QUADS["an upright box"])] * 3, HEIGHT, WIDTH)
    assert calls == 6


@given(
    points=st.lists(
        st.tuples(st.floats(-20, 90, width=32), st.floats(-20, 70, width=32)),
        min_size=3,
        max_size=6,
    ),
)
@settings(max_examples=examples(60), deadline=None)
def test_the_distance_is_the_papers_for_any_simple_polygon(
    points: list[tuple[float, float]],
) -> None:
    polygon = np.array(points, dtype=np.float32)
    shape = shapely.Polygon(polygon)
    if shape.is_valid and shape.area > 1:
        expected = pytest.approx(paper_distance_px(polygon), rel=1e-3)
        assert offset_distance_px(polygon, 0.4) == expected
    maps = make_target_maps([polygon], HEIGHT, WIDTH)
    assert np.isfinite(maps.threshold_map).all()
