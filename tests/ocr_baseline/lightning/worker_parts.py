"""What data-loader workers run in the tests; spawned workers import it by name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import cv2
import numpy as np
import pyclipper
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

from ocr_baseline.measure.sections import section

SQUARE = ((0, 0), (100, 0), (100, 100), (0, 100))
DECODE = f"{__name__}.decode"
COLLATE = f"{__name__}.collate"


def decode(index: int) -> torch.Tensor:
    """Stands for the decoding of an image."""
    with section("inner"):
        return torch.full((4,), float(index % 3))


def shrink() -> None:
    """Call a method of a C extension class, and a function of another C extension."""
    offset = pyclipper.PyclipperOffset()
    offset.AddPath(SQUARE, pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)
    offset.Execute(-5.0)
    mask = np.pad(np.ones((4, 4), np.uint8), 2)
    cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)


def collate(items: list[torch.Tensor]) -> torch.Tensor:
    """Held by the loader itself, and so pickled with it."""
    return torch.stack(items)


class Collator:
    def collate(self, items: list[torch.Tensor]) -> torch.Tensor:
        return torch.stack(items)


class DecodedItems(Dataset[torch.Tensor]):
    def __init__(self, count: int = 8, ends_at: int | None = None) -> None:
        self.count = count
        self.ends_at = ends_at

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> torch.Tensor:
        if index == self.ends_at:
            os._exit(13)
        shrink()
        return decode(index)


class WrittenItems(Dataset[torch.Tensor]):
    """Writes a letter per item into a file that it opens in the worker and nobody closes."""

    def __init__(self, file: Path, count: int = 8) -> None:
        self.path = file
        self.count = count
        self.file: TextIO | None = None

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> torch.Tensor:
        if self.file is None:
            self.file = self.path.open("w")
        self.file.write("x")
        return torch.ones(4)


class DecodedStream(IterableDataset[torch.Tensor]):
    def __init__(self, count: int = 8) -> None:
        self.count = count

    def __iter__(self) -> Iterator[torch.Tensor]:
        worker = get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        for index in range(first, self.count, step):
            yield decode(index)


class StreamOfALoader(IterableDataset[torch.Tensor]):
    """Reads from a loader of its own; the last item is left out, so that no batch is made of it."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __iter__(self) -> Iterator[torch.Tensor]:
        inner = DataLoader(DecodedStream(self.count + 1), batch_size=1)
        return (item for _, (item,) in zip(range(self.count), inner, strict=False))


class WritesItsNumber:
    """A `worker_init_fn` that leaves a file for each worker that it ran in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, worker_id: int) -> None:
        (self.folder / f"worker-{worker_id}").touch()


def raises_at_start(worker_id: int) -> Any:
    raise ArithmeticError(f"worker {worker_id} can't start")
