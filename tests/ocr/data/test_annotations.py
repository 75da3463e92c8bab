from __future__ import annotations

import json
import logging
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ocr.data.annotations import PageAnnotation, load_annotations, read_image, write_annotations
from ocr.data.errors import AnnotationError

SQUARE = [[1, 1], [9, 1], [9, 9], [1, 9]]
Annotate = Callable[..., Path]


@pytest.fixture
def annotate(tmp_path: Path) -> Annotate:
    """Write an annotation file about one existing page, `page.png`."""
    Image.new("RGB", (20, 10)).save(tmp_path / "page.png")

    def write(words: object, *, image: str = "page.png") -> Path:
        path = tmp_path / "train.json"
        path.write_text(json.dumps({"images": {image: {"words": words}}}), encoding="utf-8")
        return path

    return write


def load(path: Path) -> list[PageAnnotation]:
    return load_annotations(path, path.parent)


def test_words_become_polygons_in_the_order_of_the_file(annotate: Annotate) -> None:
    triangle = [[0, 0], [4.25, 0], [4, 3]]
    (page,) = load(annotate({"0002": {"points": SQUARE}, "0001": {"points": triangle}}))
    assert page.image_path.name == "page.png"
    assert [polygon.tolist() for polygon in page.polygons] == [SQUARE, triangle]
    assert all(polygon.dtype == np.float32 for polygon in page.polygons)


def test_a_page_without_words_is_legal(annotate: Annotate) -> None:
    (page,) = load(annotate({}))
    assert page.polygons == ()


def test_a_file_without_images_is_legal(tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    path.write_text('{"images": {}}')
    assert load(path) == []


@pytest.mark.parametrize(
    ("points", "complaint"),
    [
        ([[1, 1], [9, 1]], "2 points"),
        ([], "0 points"),
        ([[1, 1], [9, 1], [9, float("nan")]], "not finite"),
        ([[1, 1], [9, 1], [9, float("inf")]], "not finite"),
        ([[1, 1], [9, 1], [9, 1e39]], "not finite"),
        ([[1, 1], [9, 1], [9, 10**400]], "not finite"),
        ([[1, 1], [9, 1], [9, "4"]], "not a pair of numbers"),
        ([[1, 1], [9, 1], [9, None]], "not a pair of numbers"),
        ([[1, 1], [9, 1], [9, True]], "not a pair of numbers"),
        ([[1, 1], [9, 1], [9]], "not a pair of numbers"),
        ([[1, 1], [9, 1], [9, 4, 0]], "not a pair of numbers"),
        ([1, 1, 9, 1, 9, 9], "not a pair of numbers"),
        ("1,1,9,1,9,9", "list of"),
        (None, "list of"),
        ([[1, 1], [9, 9], [9, 1], [1, 9]], "self-intersecting"),
        ([[1, 1], [9, 9], [9, 1], [1, 8]], "self-intersecting"),
    ],
)
def test_unusable_points_are_an_error_that_names_file_image_and_word(
    annotate: Annotate, points: object, complaint: str
) -> None:
    path = annotate({"0001": {"points": SQUARE}, "0007": {"points": points}})
    with pytest.raises(AnnotationError, match=complaint) as caught:
        load(path)
    for name in (str(path), "'page.png'", "'0007'", "'points'"):
        assert name in str(caught.value)


@pytest.mark.parametrize("words", [None, [], "words", 3])
def test_words_that_are_no_object_are_an_error_that_names_the_image(
    annotate: Annotate, words: object
) -> None:
    with pytest.raises(AnnotationError, match=r"image 'page\.png': key 'words'"):
        load(annotate(words))


@pytest.mark.parametrize("word", [None, [], {}, {"point": SQUARE}])
def test_a_word_without_points_is_an_error_that_names_the_word(
    annotate: Annotate, word: object
) -> None:
    with pytest.raises(AnnotationError, match="word '0001': key 'points'"):
        load(annotate({"0001": word}))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"images": {', "malformed JSON"),
        ("", "malformed JSON"),
        ("[]", "'images'"),
        ("{}", "'images'"),
        ('{"images": []}', "'images'"),
        ('{"images": {"page.png": 1}}', "'words'"),
    ],
)
def test_a_file_of_another_format_is_an_error_that_names_it(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "train.json"
    path.write_text(text)
    with pytest.raises(AnnotationError, match=complaint) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_utf_8_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    path.write_bytes(b'{"images": {"\xff.png": {}}}')
    with pytest.raises(AnnotationError, match=r"train\.json"):
        load(path)


def test_a_missing_annotation_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match=r"none\.json: can't be read"):
        load(tmp_path / "none.json")


def test_a_missing_image_is_an_error_that_names_it(annotate: Annotate) -> None:
    with pytest.raises(AnnotationError, match=r"image 'gone\.png': no such file .*gone\.png"):
        load(annotate({}, image="gone.png"))


DEGENERATE = {
    "0001": {"points": [[1, 1], [5, 5], [9, 9]]},
    "0002": {"points": SQUARE},
    "0003": {"points": [[2, 2], [2, 2], [2, 2], [2, 2]]},
    "0004": {"points": [[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]]},
}


def test_words_without_area_are_dropped_with_one_warning(
    annotate: Annotate, caplog: pytest.LogCaptureFixture
) -> None:
    path = annotate(DEGENERATE)
    with caplog.at_level(logging.WARNING):
        (page,) = load(path)
    assert [polygon.tolist() for polygon in page.polygons] == [SQUARE]
    (record,) = caplog.records
    message = record.getMessage()
    assert "dropped 3 of 4 words" in message
    assert str(path) in message
    assert "'0001'" in message


def test_words_without_area_fail_where_the_config_says_so(annotate: Annotate) -> None:
    path = annotate(DEGENERATE)
    with pytest.raises(AnnotationError, match=r"word '0001': .* encloses no area") as caught:
        load_annotations(path, path.parent, on_degenerate="fail")
    assert "3 such words" in str(caught.value)


def test_an_unknown_way_to_treat_words_without_area_is_refused(annotate: Annotate) -> None:
    path = annotate({})
    with pytest.raises(ValueError, match="on_degenerate"):
        load_annotations(path, path.parent, on_degenerate="ignore")  # type: ignore[arg-type]  # the subject of the test


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    Image.new("L", (40, 40)).save(tmp_path / "a.png")
    Image.new("L", (40, 40)).save(tmp_path / "b é.png")
    quad = np.array([[1.25, 2], [30.5, 3], [30, 12.75], [1, 11]], dtype=np.float32)
    pages = [
        PageAnnotation(image_path=tmp_path / "a.png", polygons=(quad, quad + 5)),
        PageAnnotation(image_path=tmp_path / "b é.png", polygons=()),
    ]
    write_annotations(tmp_path / "train.json", pages)
    read = load(tmp_path / "train.json")
    assert [page.image_path for page in read] == [page.image_path for page in pages]
    assert [len(page.polygons) for page in read] == [2, 0]
    np.testing.assert_allclose(read[0].polygons, pages[0].polygons)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "CMYK", "1"])
def test_an_image_of_any_mode_is_read_as_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "page.tif"
    Image.new(mode, (6, 4)).save(path)
    image = read_image(path)
    assert image.shape == (4, 6, 3)
    assert image.dtype == np.uint8


def test_an_image_is_turned_upright_as_its_exif_orientation_says(tmp_path: Path) -> None:
    upright = np.zeros((16, 32, 3), dtype=np.uint8)
    upright[:, :16, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    path = tmp_path / "turned.png"
    Image.fromarray(upright).rotate(90, expand=True).save(path, exif=exif)
    with Image.open(path) as stored:
        assert stored.size == (16, 32)
    np.testing.assert_array_equal(read_image(path), upright)


@pytest.mark.parametrize("content", [b"", b"no image", b"\xff\xd8\xff\xe0 broken"])
def test_an_image_that_can_not_be_decoded_is_an_error_that_names_it(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "page.jpg"
    path.write_bytes(content)
    with pytest.raises(AnnotationError, match=r"page\.jpg can't be decoded"):
        read_image(path)


def test_an_image_that_is_cut_short_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "page.jpg"
    noise = np.random.default_rng(0).integers(256, size=(64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(AnnotationError, match=r"page\.jpg can't be decoded"):
        read_image(path)


def test_the_error_keeps_its_type_on_the_way_from_another_process() -> None:
    error = AnnotationError("train.json: no")
    pickled = pickle.loads(pickle.dumps(error))  # noqa: S301 # our own bytes
    # A DataLoader makes a worker's error anew from its type and one message.
    for copy in (pickled, type(error)(str(error))):
        assert isinstance(copy, AnnotationError)
        assert str(copy) == "train.json: no"


def test_annotations_target_maps_and_the_generator_work_without_torch() -> None:
    program = (
        "import sys, ocr.data.annotations, ocr.data.synthetic, ocr.data.target_maps;"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
