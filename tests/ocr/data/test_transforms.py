from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from ocr.data.transforms import Augmentation, DetectionTransforms

Polygon = NDArray[np.float32]
Image = NDArray[np.uint8]

STILL: dict[str, float] = {
    "flip_probability": 0.0,
    "crop_probability": 0.0,
    "scale_min": 1.0,
    "scale_max": 1.0,
    "rotation_deg": 0.0,
    "brightness": 0.0,
    "contrast": 0.0,
    "saturation": 0.0,
}
WORDS = [(30, 40, 150, 70), (60, 120, 220, 140), (20, 200, 120, 260), (250, 330, 290, 380)]


def make_page(height: int = 400, width: int = 300) -> tuple[Image, list[Polygon]]:
    """Return a grey page with a white block for each word, and the words' corners."""
    image = np.full((height, width, 3), 60, dtype=np.uint8)
    polygons = []
    for left, top, right, bottom in WORDS:
        image[top : bottom + 1, left : right + 1] = 255
        polygons.append(
            np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float32)
        )
    return image, polygons


def make_transforms(*, min_visible_share: float = 0.0, **changes: float) -> DetectionTransforms:
    return DetectionTransforms(
        image_size=320,
        # No normalisation, so that white is 1.
        mean=(0, 0, 0),
        std=(1, 1, 1),
        min_visible_share=min_visible_share,
        augmentation=Augmentation(**(STILL | changes)),
    )


def overlap_with_ink(image: Tensor, polygons: list[Polygon]) -> float:
    """Return the IoU of the polygons' pixels with the white pixels."""
    drawn = np.zeros((320, 320), dtype=np.uint8)
    for polygon in polygons:
        cv2.fillPoly(drawn, [np.rint(polygon).astype(np.int32)], (1,))
    ink = image.mean(dim=0).numpy() > 0.6
    return float((ink & (drawn > 0)).sum() / (ink | (drawn > 0)).sum())


VARIATIONS: dict[str, dict[str, float]] = {
    "none": {},
    "a flip": {"flip_probability": 1.0},
    "a smaller page": {"scale_min": 0.6, "scale_max": 0.6},
    "a larger page": {"scale_min": 1.5, "scale_max": 1.5},
    "a rotation": {"rotation_deg": 12.0},
    "a crop": {"crop_probability": 1.0, "crop_share_min": 0.4},
    "all at once": {
        "flip_probability": 0.5,
        "crop_probability": 0.5,
        "scale_min": 0.7,
        "scale_max": 1.4,
        "rotation_deg": 8.0,
    },
}


@pytest.mark.parametrize("changes", VARIATIONS.values(), ids=VARIATIONS.keys())
@pytest.mark.parametrize("seed", range(12))
def test_polygons_stay_on_the_ink(changes: dict[str, float], seed: int) -> None:
    torch.manual_seed(seed)
    image, polygons = make_transforms(**changes).train(*make_page())
    assert image.shape == (3, 320, 320)
    assert overlap_with_ink(image, polygons) > 0.85


@pytest.mark.parametrize("changes", VARIATIONS.values(), ids=VARIATIONS.keys())
def test_polygons_stay_inside_the_image_but_for_rounding(changes: dict[str, float]) -> None:
    torch.manual_seed(1)
    transforms = make_transforms(**changes)
    for _ in range(10):
        _, polygons = transforms.train(*make_page())
        assert all(polygon.min() >= -0.5 and polygon.max() <= 320.5 for polygon in polygons)
        assert all(polygon.dtype == np.float32 for polygon in polygons)


def test_an_evaluated_page_fills_the_input_with_its_longest_side() -> None:
    image, polygons = make_transforms().eval(*make_page(400, 300))
    np.testing.assert_allclose(polygons[0], make_page()[1][0] * 0.8, atol=1e-4)
    assert image[:, :320, :240].min() > 0.2
    assert not image[:, :, 240:].any()


def test_evaluation_is_the_same_each_time_and_training_is_not() -> None:
    transforms = make_transforms(rotation_deg=5.0)
    page = make_page()
    assert torch.equal(transforms.eval(*page)[0], transforms.eval(*page)[0])
    assert not torch.equal(transforms.train(*page)[0], transforms.train(*page)[0])


def test_training_repeats_itself_after_the_same_seed() -> None:
    transforms = make_transforms(**VARIATIONS["all at once"])
    pages = []
    for _ in range(2):
        torch.manual_seed(3)
        pages.append(transforms.train(*make_page()))
    (image, polygons), (image_again, polygons_again) = pages
    assert torch.equal(image, image_again)
    np.testing.assert_equal(polygons, polygons_again)


def test_without_augmentation_training_is_evaluation() -> None:
    transforms = DetectionTransforms(image_size=320)
    assert torch.equal(transforms.train(*make_page())[0], transforms.eval(*make_page())[0])


def test_the_image_is_normalised_by_mean_and_deviation() -> None:
    transforms = DetectionTransforms(image_size=32, mean=(0.5, 0.25, 0.0), std=(0.5, 0.25, 2.0))
    image, _ = transforms.eval(np.full((32, 32, 3), 255, dtype=np.uint8), [])
    assert image[:, 5, 5].tolist() == pytest.approx([1.0, 3.0, 0.5])


def test_the_page_that_comes_in_is_left_as_it_was() -> None:
    image, polygons = make_page()
    image.flags.writeable = False
    make_transforms(**VARIATIONS["all at once"], brightness=0.5).train(image, polygons)
    np.testing.assert_array_equal(image, make_page()[0])
    np.testing.assert_array_equal(polygons, make_page()[1])


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (7, 5), (3000, 40)])
def test_a_page_of_any_shape_without_words_is_legal(shape: tuple[int, int]) -> None:
    page = np.zeros((*shape, 3), dtype=np.uint8)
    transforms = make_transforms(**VARIATIONS["all at once"])
    for pipeline in (transforms.train, transforms.eval):
        image, polygons = pipeline(page, [])
        assert image.shape == (3, 320, 320)
        assert polygons == []


def test_a_polygon_is_cut_at_the_border_or_dropped_when_little_of_it_is_left() -> None:
    image = np.zeros((320, 320, 3), dtype=np.uint8)
    mostly_inside = np.array([[300, 10], [330, 10], [330, 20], [300, 20]], dtype=np.float32)
    mostly_outside = mostly_inside + np.array([15, 0], dtype=np.float32)
    outside = mostly_inside + np.array([100, 0], dtype=np.float32)
    transforms = make_transforms(min_visible_share=0.5)
    _, polygons = transforms.eval(image, [mostly_outside, mostly_inside, outside])
    (left,) = polygons
    assert left.min(axis=0).tolist() == [300, 10]
    assert left.max(axis=0).tolist() == [320, 20]


def test_polygons_keep_their_own_number_of_corners() -> None:
    image = np.zeros((320, 320, 3), dtype=np.uint8)
    corners = [np.array([[9, 9], [50, 9], [70, 30], [50, 50], [9, 50]], dtype=np.float32)[:count]
               for count in (3, 5, 4)]  # fmt: skip
    _, polygons = make_transforms().eval(image, corners)
    np.testing.assert_equal(polygons, corners)


@pytest.mark.parametrize("image_size", [0, -32, 300, 633])
def test_a_size_that_the_network_can_not_take_is_refused(image_size: int) -> None:
    with pytest.raises(ValueError, match="multiple of 32"):
        DetectionTransforms(image_size=image_size)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("flip_probability", 1.5),
        ("crop_probability", -0.1),
        ("crop_share_min", 0.0),
        ("scale_min", 0.0),
        ("scale_max", 0.5),
    ],
)
def test_an_impossible_augmentation_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        Augmentation(**{name: value})
