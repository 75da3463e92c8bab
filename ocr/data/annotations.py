"""Read and write annotations: `{"images": {FILE: {"words": {ID: {"points": [[x, y], ...]}}}}}`."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeGuard

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ocr.data.errors import AnnotationError

OnDegenerate = Literal["drop", "fail"]

# A polygon below a thousandth of a pixel holds no text; collinear points rarely give exactly 0.
_MIN_AREA_PX2 = 1e-3
_COORDINATE_DECIMALS = 2
_SCORE_DECIMALS = 3

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, eq=False)
class PageAnnotation:
    """One page: the image file and a polygon for each word, (N, 2) float32 in pixels, N >= 3.

    `scores` has a number in [0, 1] for each word that a detector found; people's words have none.
    """

    image_path: Path
    polygons: tuple[NDArray[np.float32], ...]
    scores: tuple[float, ...] = ()


def load_annotations(
    json_path: Path, image_dir: Path, on_degenerate: OnDegenerate = "drop"
) -> list[PageAnnotation]:
    """Read and check an annotation file; pages come in the file's order.

    Args:
        json_path: The annotation file.
        image_dir: The folder that holds the images it names.
        on_degenerate: What to do with words of zero area: `drop` them with one warning for the
            whole file, or `fail`.

    Raises:
        AnnotationError: The file can't be read or isn't of the format, an image is missing, or a
            word has fewer than 3 points, points that are no finite numbers, edges that cross, or
            (with `fail`) no area.
    """
    if on_degenerate not in ("drop", "fail"):
        raise ValueError(f"on_degenerate must be 'drop' or 'fail', not {on_degenerate!r}")
    pages: list[PageAnnotation] = []
    degenerate: list[str] = []
    n_words = 0
    for name, page in _read_images(json_path).items():
        polygons: list[NDArray[np.float32]] = []
        for where, polygon in _read_words(f"{json_path}: image {name!r}", page):
            n_words += 1
            if _has_area(polygon):
                _check_simple(where, polygon)
                polygons.append(polygon)
            else:
                degenerate.append(where)
        image_path = image_dir / name
        if not image_path.is_file():
            raise AnnotationError(f"{json_path}: image {name!r}: no such file {image_path}")
        pages.append(PageAnnotation(image_path=image_path, polygons=tuple(polygons)))
    if degenerate:
        _report_degenerate(json_path, degenerate, n_words, on_degenerate)
    return pages


def write_annotations(json_path: Path, pages: Iterable[PageAnnotation]) -> None:
    """Write pages in the format that `load_annotations` reads, coordinates to 0.01 px.

    Scores stand beside the points, to 0.001; `load_annotations` passes over them.
    """
    images = {page.image_path.name: {"words": _words_of(page)} for page in pages}
    text = json.dumps({"images": images}, ensure_ascii=False, separators=(",", ":"))
    json_path.write_text(text + "\n", encoding="utf-8")


def _words_of(page: PageAnnotation) -> dict[str, dict[str, object]]:
    words: dict[str, dict[str, object]] = {
        f"{index:04d}": {"points": _rounded(polygon)}
        for index, polygon in enumerate(page.polygons, start=1)
    }
    for word, score in zip(words.values(), page.scores, strict=False):
        word["score"] = round(score, _SCORE_DECIMALS)
    return words


def read_image(path: Path) -> NDArray[np.uint8]:
    """Return the image as (H, W, 3) RGB, turned upright as its EXIF orientation says.

    Raises:
        AnnotationError: The file can't be opened or decoded.
    """
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
    # Pillow reports broken files with any of these, depending on the format and the place.
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise AnnotationError(f"image {path} can't be decoded: {error}") from error
    return np.asarray(upright)


def _read_images(json_path: Path) -> Mapping[str, object]:
    try:
        document = json.loads(json_path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AnnotationError(f"{json_path}: can't be read: {error.strerror}") from error
    except ValueError as error:
        raise AnnotationError(f"{json_path}: malformed JSON: {error}") from error
    images = document.get("images") if _is_object(document) else None
    if not _is_object(images):
        raise AnnotationError(f"{json_path}: key 'images' must hold an object of images by file")
    return images


def _read_words(where: str, page: object) -> Iterator[tuple[str, NDArray[np.float32]]]:
    words = page.get("words") if _is_object(page) else None
    if not _is_object(words):
        raise AnnotationError(f"{where}: key 'words' must hold an object of words by id")
    for word_id, word in words.items():
        where_word = f"{where}: word {word_id!r}"
        yield where_word, _read_polygon(where_word, word)


def _read_polygon(where: str, word: object) -> NDArray[np.float32]:
    points = word.get("points") if _is_object(word) else None
    if not isinstance(points, list):
        raise AnnotationError(f"{where}: key 'points' must hold a list of [x, y] pairs")
    if len(points) < 3:
        raise AnnotationError(f"{where}: key 'points' has {len(points)} points, 3 are needed")
    for point in points:
        if not _is_pair_of_numbers(point):
            raise AnnotationError(f"{where}: key 'points': {point!r} is not a pair of numbers")
    try:
        with np.errstate(over="ignore"):
            polygon = np.array(points, dtype=np.float64).astype(np.float32)
    except OverflowError:
        polygon = np.full((len(points), 2), np.inf, dtype=np.float32)
    if not np.isfinite(polygon).all():
        raise AnnotationError(f"{where}: key 'points' has a coordinate that is not finite")
    return polygon


def _is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict)


def _is_pair_of_numbers(value: object) -> bool:
    # In Python a boolean is an int; in JSON it is no number.
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(item, int | float) and not isinstance(item, bool) for item in value)
    )


def _has_area(polygon: NDArray[np.float32]) -> bool:
    # The hull, since the signed halves of a crossed polygon can cancel out to zero area.
    hull = shapely.MultiPoint(polygon).convex_hull
    return hull.area >= _MIN_AREA_PX2


def _check_simple(where: str, polygon: NDArray[np.float32]) -> None:
    shape = shapely.Polygon(polygon)
    if not shape.is_valid:
        reason = shapely.is_valid_reason(shape)
        raise AnnotationError(f"{where}: key 'points' gives a self-intersecting polygon: {reason}")


def _report_degenerate(
    json_path: Path, degenerate: list[str], n_words: int, on_degenerate: OnDegenerate
) -> None:
    if on_degenerate == "fail":
        raise AnnotationError(
            f"{degenerate[0]}: key 'points' encloses no area ({len(degenerate)} such words in this "
            "file); mend them, or drop them with on_degenerate=drop"
        )
    _log.warning(
        "%s: dropped %d of %d words that enclose no area, the first one at %s; "
        "on_degenerate=fail makes this an error",
        json_path,
        len(degenerate),
        n_words,
        degenerate[0],
    )


def _rounded(polygon: NDArray[np.float32]) -> list[list[float]]:
    return [[round(float(x), _COORDINATE_DECIMALS) for x in point] for point in polygon]
