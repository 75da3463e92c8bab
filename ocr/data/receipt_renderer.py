"""Draw a synthetic receipt and photograph it: paper, homography, light, blur, noise, JPEG."""

import functools
import importlib.resources
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ocr.data.receipt_text import ReceiptLine, compose_receipt

_LINE_HEIGHT_EM = 1.35
_MARGIN_EM = 1.5
# Of the picture's longest side, on each side of the paper.
_BORDER_SHARE = 0.03
# Width of a character of IBM Plex Mono.
_ADVANCE_EM = 0.6


@dataclass(frozen=True, kw_only=True)
class PageSettings:
    """How synthetic pages look; each draw is uniform up to the limit given.

    Args:
        size_px: Longest side of the image.
        items_min: Fewest items on a receipt.
        items_max: Most items on a receipt.
        columns_min: Narrowest paper, in characters.
        columns_max: Widest paper, in characters.
        rotation_deg: Largest rotation of the paper to either side.
        perspective: Largest shift of each corner of the paper, as a share of its shorter side.
        shading: Largest loss of light in a corner, as a share.
        blur_px: Largest standard deviation of the blur.
        noise: Largest standard deviation of the noise, in grey levels of 255.
        jpeg_quality_min: Lowest quality of the JPEG file.
        jpeg_quality_max: Highest quality of the JPEG file.
    """

    size_px: int = 640
    items_min: int = 3
    items_max: int = 9
    columns_min: int = 30
    columns_max: int = 38
    rotation_deg: float = 3.0
    perspective: float = 0.03
    shading: float = 0.35
    blur_px: float = 0.8
    noise: float = 6.0
    jpeg_quality_min: int = 60
    jpeg_quality_max: int = 95

    def __post_init__(self) -> None:
        if self.size_px < 160:
            raise ValueError(f"size_px must be at least 160 for legible text, not {self.size_px}")
        if not 1 <= self.items_min <= self.items_max:
            raise ValueError("1 <= items_min <= items_max must hold")
        if not 24 <= self.columns_min <= self.columns_max:
            raise ValueError("24 <= columns_min <= columns_max must hold")
        if not 1 <= self.jpeg_quality_min <= self.jpeg_quality_max <= 100:
            raise ValueError("1 <= jpeg_quality_min <= jpeg_quality_max <= 100 must hold")


@dataclass(frozen=True, kw_only=True, eq=False)
class RenderedPage:
    """A JPEG file's bytes and a quad for each word, (4, 2) float32 clockwise from the top left."""

    jpeg: bytes
    quads: tuple[NDArray[np.float32], ...]


def render_page(settings: PageSettings, seed: Sequence[int]) -> RenderedPage:
    """Return the page of this seed, the same bytes each time."""
    rng = np.random.default_rng(seed)
    n_columns = int(rng.integers(settings.columns_min, settings.columns_max + 1))
    n_items = int(rng.integers(settings.items_min, settings.items_max + 1))
    lines = compose_receipt(rng, n_items, n_columns)
    paper, quads = _print_receipt(lines, n_columns, settings.size_px, rng)
    homography, width, height = _aim_camera(paper.shape[1], paper.shape[0], settings, rng)
    picture = _spoil(_photograph(paper, homography, width, height, rng), settings, rng)
    quality = int(rng.integers(settings.jpeg_quality_min, settings.jpeg_quality_max + 1))
    encoded, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not encoded:
        raise RuntimeError("OpenCV can't encode JPEG files on this machine")
    seen = cv2.perspectiveTransform(quads, homography).astype(np.float32)
    return RenderedPage(jpeg=jpeg.tobytes(), quads=tuple(seen))


@functools.lru_cache(maxsize=64)
def _font(size_px: int, *, bold: bool) -> ImageFont.FreeTypeFont:
    name = "IBMPlexMono-SemiBold.ttf" if bold else "IBMPlexMono-Regular.ttf"
    file = importlib.resources.files("fontpkg_ibm_plex_mono") / "files" / name
    # The basic layout, since the other one depends on a library that may be absent.
    return ImageFont.truetype(str(file), size_px, layout_engine=ImageFont.Layout.BASIC)


def _print_receipt(
    lines: Sequence[ReceiptLine], n_columns: int, size_px: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return the paper, (H, W) grey, and the words' quads on it, (words, 4, 2)."""
    height_em = sum(line.scale for line in lines) * _LINE_HEIGHT_EM + 2 * _MARGIN_EM
    width_em = n_columns * _ADVANCE_EM + 2 * _MARGIN_EM
    room_px = size_px * (1 - 2 * _BORDER_SHARE)
    em_px = max(6, int(room_px / max(height_em, width_em)))
    width_px = round(width_em * em_px)
    paper = Image.new("L", (width_px, round(height_em * em_px)), 255)
    draw = ImageDraw.Draw(paper)
    margin_px = _MARGIN_EM * em_px
    baseline_px = margin_px
    boxes: list[tuple[float, float, float, float]] = []
    for line in lines:
        line_px = line.scale * _LINE_HEIGHT_EM * em_px
        baseline_px += line_px
        if line.barcode:
            _draw_barcode(draw, margin_px, width_px - margin_px, baseline_px, line_px, rng)
            continue
        font = _font(round(line.scale * em_px), bold=line.bold)
        ink = int(rng.integers(15, 95))
        slack_px = width_px - 2 * margin_px
        for text, side in ((line.left, 0.0), (line.center, 0.5), (line.right, 1.0)):
            start_px = margin_px + side * (slack_px - font.getlength(text))
            boxes += _draw_words(draw, text, (start_px, baseline_px), font, ink)
    return np.asarray(paper), _to_quads(boxes)


def _draw_words(
    draw: ImageDraw.ImageDraw,
    text: str,
    start: tuple[float, float],
    font: ImageFont.FreeTypeFont,
    ink: int,
) -> list[tuple[float, float, float, float]]:
    """Draw a text from its baseline's start; return left, top, right, bottom of each word."""
    boxes = []
    y = round(start[1])
    # Digits are as high as capitals: a word of small letters gets the box of the line it is on.
    _, digits_top, _, digits_bottom = font.getbbox("0", anchor="ls")
    position = 0
    for word in text.split(" "):
        x = round(start[0] + font.getlength(" " * position))
        position += len(word) + 1
        if not word:
            continue
        draw.text((x, y), word, fill=ink, font=font, anchor="ls")
        if any(letter.isalnum() for letter in word):
            left, top, right, bottom = font.getbbox(word, anchor="ls")
            top, bottom = min(top, digits_top), max(bottom, digits_bottom)
            # From the first to the last pixel of ink, and a pixel around it.
            boxes.append((x + left - 1, y + top - 1, x + right, y + bottom))
    return boxes


def _draw_barcode(
    draw: ImageDraw.ImageDraw,
    left: float,
    right: float,
    bottom: float,
    height: float,
    rng: np.random.Generator,
) -> None:
    x = round(left + 0.15 * (right - left))
    end = right - 0.15 * (right - left)
    while x < end:
        bar_px, gap_px = rng.integers(1, 4, size=2).tolist()
        draw.rectangle((x, bottom - 0.75 * height, x + bar_px - 1, bottom), fill=30)
        x += bar_px + gap_px


def _to_quads(boxes: list[tuple[float, float, float, float]]) -> NDArray[np.float64]:
    left, top, right, bottom = np.array(boxes, dtype=np.float64).T
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return np.stack([np.stack(corner, axis=-1) for corner in corners], axis=1)


def _aim_camera(
    paper_width: int, paper_height: int, settings: PageSettings, rng: np.random.Generator
) -> tuple[NDArray[np.float64], int, int]:
    """Return the homography from paper to picture, and the picture's width and height."""
    corners = np.array(
        [(0, 0), (paper_width, 0), (paper_width, paper_height), (0, paper_height)], dtype=np.float64
    )
    shift_px = settings.perspective * min(paper_width, paper_height)
    angle = np.deg2rad(rng.uniform(-settings.rotation_deg, settings.rotation_deg))
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    seen = corners @ turn + rng.uniform(-shift_px, shift_px, size=(4, 2))
    seen -= seen.min(axis=0)
    extent = seen.max(axis=0)
    border_px = _BORDER_SHARE * settings.size_px
    zoom = (settings.size_px - 2 * border_px) / extent.max()
    seen = seen * zoom + border_px
    width, height = np.ceil(extent * zoom + 2 * border_px - 1e-6).astype(int).tolist()
    homography = cv2.getPerspectiveTransform(
        corners.astype(np.float32), seen.astype(np.float32)
    ).astype(np.float64)
    return homography, width, height


def _photograph(
    paper: NDArray[np.uint8],
    homography: NDArray[np.float64],
    width: int,
    height: int,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Lay the paper on a table: (height, width, 3) in 0..255."""
    size = (width, height)
    opacity = cv2.warpPerspective(np.ones(paper.shape, dtype=np.float32), homography, size)
    ink = cv2.warpPerspective(paper, homography, size, borderValue=255).astype(np.float32) / 255
    grain = rng.uniform(0.8, 1.2, size=(height // 8 + 1, 5)).astype(np.float32)
    table = cv2.resize(grain, size, interpolation=cv2.INTER_CUBIC)[..., None] * (
        rng.uniform(40, 150, size=3).astype(np.float32)
    )
    tint = (rng.uniform(225, 255) - rng.uniform(0, 14, size=3)).astype(np.float32)
    picture = table + opacity[..., None] * (ink[..., None] * tint - table)
    return picture.astype(np.float32, copy=False)


def _spoil(
    picture: NDArray[np.float32], settings: PageSettings, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Add uneven light, blur and noise."""
    height, width = picture.shape[:2]
    light = 1 - rng.uniform(0, settings.shading, size=(3, 3)).astype(np.float32)
    shade = cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR)
    lit = picture * shade[..., None]
    sigma_px = rng.uniform(0, settings.blur_px)
    # A narrower kernel has one tap.
    blurred = cv2.GaussianBlur(lit, (0, 0), sigma_px) if sigma_px > 0.1 else lit
    grain = rng.standard_normal((height, width, 1), dtype=np.float32)
    noisy = blurred + grain * np.float32(rng.uniform(0, settings.noise))
    spoilt: NDArray[np.uint8] = noisy.clip(0, 255).astype(np.uint8)
    return spoilt
