"""Causes in the loader: dataset, transforms, collate function, sampler, worker settings."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import Dataset, IterableDataset, Sampler, default_collate

from benchmarks.planted.case import planted
from benchmarks.planted.costly_work import (
    blur,
    decode,
    edit_distance,
    jpeg,
    pad_ragged,
    random_text,
    read_annotations,
    salt_and_pepper,
    wait_for_storage,
    write_annotations,
)
from benchmarks.planted.training import CLASSES, IMAGE_SIZE, NoiseImages, Training, loader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _flip(image: torch.Tensor) -> torch.Tensor:
    return image.flip(-1)


def _shift(image: torch.Tensor) -> torch.Tensor:
    return image.roll(2, -1)


def _invert(image: torch.Tensor) -> torch.Tensor:
    return 255 - image


def _crop(image: torch.Tensor) -> torch.Tensor:
    return image[:, 2:-2, 2:-2]


class SoftBlur:
    """Blurs widely."""

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        """Return the blurred image."""
        for _ in range(12):
            image = blur(image, 9)
        return image


class SpeckleNoise:
    """Adds speckles one by one."""

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        """Return the speckled image."""
        return salt_and_pepper(image, 60)


def _padding_collate(items: list[Any]) -> Any:
    images, labels = default_collate(items)
    pad_ragged([[float(i)] * (50 + i) for i in range(80)], 700)
    return images, labels


def _long_padding_collate(items: list[Any]) -> Any:
    for _ in range(5):
        batch = _padding_collate(items)
    return batch


class JpegImages(Dataset[Any]):
    """Decodes a JPEG for each item, of `size` pixels."""

    def __init__(self, count: int, size: int) -> None:
        """Hold one JPEG in memory."""
        self.count, self.data = count, jpeg(size)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        return decode(self.data, IMAGE_SIZE).float() / 255, index % CLASSES


class RemoteImages(NoiseImages):
    """Waits for a distant store at each item."""

    def __getitem__(self, index: int) -> Any:
        wait_for_storage(0.008)
        return super().__getitem__(index)


class AnnotatedImages(NoiseImages):
    """Reads a compressed annotation file at each item."""

    def __init__(self, count: int, words: int) -> None:
        """Write the file."""
        super().__init__(count)
        self.path = Path(tempfile.mkdtemp()) / "words.json.gz"
        write_annotations(self.path, words)

    def __getitem__(self, index: int) -> Any:
        read_annotations(self.path)
        return super().__getitem__(index)


class ChattyRows(Dataset[Any]):
    """Tiny samples that are made in Python, value by value."""

    def __init__(self, count: int, *, is_chatty: bool) -> None:
        """Of `count` rows."""
        self.count, self.is_chatty = count, is_chatty
        self.rows = torch.zeros(3, 8, 8)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        if self.is_chatty:
            pad_ragged([[float(index)] * 20] * 4, 64)
        return self.rows, index % CLASSES


class HardestFirst(Sampler[int]):
    """Ranks all items by their texts before each pass, in Python."""

    def __init__(self, count: int) -> None:
        """Of `count` items."""
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        for index in range(self.count):
            edit_distance(random_text(index, 90), random_text(index + 1, 90))
            yield index


class LogLines(IterableDataset[Any]):
    """A stream that parses a line of text for each item."""

    def __init__(self, count: int, *, is_slow: bool) -> None:
        """Of `count` lines."""
        self.count, self.is_slow = count, is_slow

    def parse_line(self, index: int) -> torch.Tensor:
        """Return the item of a line."""
        if self.is_slow:
            pad_ragged([[1.0] * 30] * 20, 300)
        return torch.full((3, IMAGE_SIZE, IMAGE_SIZE), float(index % 7))

    def __iter__(self) -> Iterator[Any]:
        for index in range(self.count):
            yield self.parse_line(index), index % CLASSES


@planted("a slow collate function", "_padding_collate", "pad_ragged")
def _slow_collate(is_planted: bool) -> Training:
    collate: Callable[[list[Any]], Any] = _padding_collate if is_planted else default_collate
    return Training(train=loader(640, collate=collate))


@planted("a slow collate function in one worker", "_padding_collate", "pad_ragged")
def _slow_collate_in_a_worker(is_planted: bool) -> Training:
    collate: Callable[[list[Any]], Any] = _long_padding_collate if is_planted else default_collate
    return Training(train=loader(960, collate=collate, num_workers=1, persistent_workers=True))


def _five(slow: Callable[[Any], Any] | None) -> list[Callable[[Any], Any]]:
    return [_flip, _shift, *([slow] if slow else []), _invert, _crop]


@planted("one slow transform of five", "SoftBlur", "blur")
def _slow_transform(is_planted: bool) -> Training:
    return Training(train=loader(480, transforms=_five(SoftBlur() if is_planted else None)))


@planted("one slow transform of five, in two workers", "SpeckleNoise", "salt_and_pepper")
def _slow_transform_in_workers(is_planted: bool) -> Training:
    transforms = _five(SpeckleNoise() if is_planted else None)
    train = loader(1600, transforms=transforms, num_workers=2, persistent_workers=True)
    return Training(train=train)


@planted("no workers, large samples", "num_workers", "decode", "JpegImages")
def _large_samples(is_planted: bool) -> Training:
    settings: dict[str, Any] = {} if is_planted else {"num_workers": 2, "persistent_workers": True}
    return Training(train=loader(480, dataset=JpegImages(480, 512), **settings))


@planted("no workers, tiny samples made in Python", "ChattyRows", "pad_ragged")
def _tiny_samples(is_planted: bool) -> Training:
    dataset = ChattyRows(12_800, is_chatty=is_planted)
    return Training(train=loader(0, dataset=dataset, batch_size=128))


@planted("workers that wait for a distant store", "wait_for_storage", "RemoteImages")
def _waiting_workers(is_planted: bool) -> Training:
    dataset = RemoteImages(480) if is_planted else NoiseImages(480)
    return Training(train=loader(0, dataset=dataset, num_workers=2, persistent_workers=True))


@planted("slow files", "read_annotations", "AnnotatedImages")
def _slow_files(is_planted: bool) -> Training:
    dataset = AnnotatedImages(480, 300) if is_planted else NoiseImages(480)
    return Training(train=loader(0, dataset=dataset))


@planted("a slow sampler", "HardestFirst", "edit_distance")
def _slow_sampler(is_planted: bool) -> Training:
    sampler = HardestFirst(640) if is_planted else None
    return Training(train=loader(640, sampler=sampler))


@planted("a slow stream", "parse_line", "LogLines", "pad_ragged")
def _slow_stream(is_planted: bool) -> Training:
    return Training(train=loader(0, dataset=LogLines(640, is_slow=is_planted)))


@planted("validation reads slowly", "read_annotations", "AnnotatedImages", phase="validation")
def _slow_validation_files(is_planted: bool) -> Training:
    dataset = AnnotatedImages(240, 400) if is_planted else NoiseImages(240)
    return Training(validation=loader(0, dataset=dataset))


@planted("workers started anew at each epoch", "persistent_workers")
def _restarted_workers(is_planted: bool) -> Training:
    train = loader(
        160,
        num_workers=2,
        persistent_workers=not is_planted,
        multiprocessing_context="spawn",
    )
    return Training(train=train, validation=loader(8), epochs=3)


@planted("validation in batches of one", "batch size", "batches of 1", phase="validation")
def _batches_of_one(is_planted: bool) -> Training:
    return Training(validation=loader(960, batch_size=1 if is_planted else 8))
