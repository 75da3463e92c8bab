"""The work that is planted: what trainings do in Python, and are slow by."""

from __future__ import annotations

import gzip
import io
import json
import math
import random
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def edit_distance(left: str, right: str) -> int:
    """Levenshtein's distance, by the table that textbooks fill."""
    previous = list(range(len(right) + 1))
    for row, letter in enumerate(left, start=1):
        current = [row]
        for column, other in enumerate(right, start=1):
            cost = previous[column - 1] + (letter != other)
            current.append(min(previous[column] + 1, current[-1] + 1, cost))
        previous = current
    return previous[-1]


def random_text(seed: int, length: int) -> str:
    """A reproducible text of lower-case letters."""
    return "".join(random.Random(seed).choices("abcdefghijklmnop", k=length))  # noqa: S311 - no secret


def pad_ragged(rows: Sequence[Sequence[float]], length: int) -> list[list[float]]:
    """Pad each row to `length`, value by value."""
    padded = []
    for row in rows:
        values = []
        for position in range(length):
            values.append(float(row[position]) if position < len(row) else 0.0)
        padded.append(values)
    return padded


def draw_figure(scores: Sequence[float], size: int = 480) -> np.ndarray[Any, Any]:
    """Draw a bar chart, smoothed, as an image of shape (size, size, 3)."""
    image = Image.new("RGB", (2 * size, 2 * size), "white")
    draw = ImageDraw.Draw(image)
    for position, score in enumerate(scores):
        left = 20 + position * 40
        draw.rectangle((left, size - 60 - 50 * math.tanh(score), left + 30, size), fill="navy")
        draw.text((left, size + 10), f"{score:.2f}", fill="black")
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS))


def blur(image: torch.Tensor, radius: int) -> torch.Tensor:
    """Blur an image of shape (3, height, width), in PIL."""
    picture = Image.fromarray(image.permute(1, 2, 0).numpy())
    blurred = picture.filter(ImageFilter.GaussianBlur(radius))
    return torch.from_numpy(np.array(blurred)).permute(2, 0, 1)


def salt_and_pepper(image: torch.Tensor, points: int) -> torch.Tensor:
    """Set so many pixels, one by one, to black or white."""
    picture = image.clone()
    _, height, width = picture.shape
    for _ in range(points):
        row, column = int(torch.randint(height, (1,))), int(torch.randint(width, (1,)))
        picture[:, row, column] = 255 * ((row + column) % 2)
    return picture


def connected_regions(mask: np.ndarray[Any, Any]) -> int:
    """Count the connected regions of a mask of shape (height, width), by flood fill."""
    open_cells = {(int(y), int(x)) for y, x in zip(*np.nonzero(mask), strict=True)}
    regions = 0
    while open_cells:
        regions += 1
        stack = [open_cells.pop()]
        while stack:
            y, x = stack.pop()
            for cell in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
                if cell in open_cells:
                    open_cells.remove(cell)
                    stack.append(cell)
    return regions


def jpeg(size: int) -> bytes:
    """A JPEG of noise, `size` pixels wide and high."""
    pixels = np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


def decode(data: bytes, size: int) -> torch.Tensor:
    """Decode a JPEG and shrink it to shape (3, size, size)."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    small = picture.resize((size, size), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1)


def write_annotations(path: Path, words: int) -> None:
    """Write a compressed annotation file of so many words."""
    boxes = [{"word": random_text(i, 8), "points": [[i, i + 1]] * 4} for i in range(words)]
    path.write_bytes(gzip.compress(json.dumps(boxes).encode()))


def read_annotations(path: Path) -> int:
    """Read it again; return how many words it holds."""
    return len(json.loads(gzip.decompress(path.read_bytes())))


def wait_for_storage(seconds: float) -> None:
    """Wait as for a distant store's answer."""
    time.sleep(seconds)
