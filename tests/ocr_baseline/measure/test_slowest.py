from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import Dataset, Subset
from torch.utils.data._utils.fetch import _IterableDatasetFetcher, _MapDatasetFetcher
from torchvision.datasets import DatasetFolder, ImageFolder

from ocr_baseline.measure.sample_files import file_of
from ocr_baseline.measure.slowest import MOST_INDICES, Slowest
from ocr_baseline.measure.timed_items import time_items
from ocr_baseline.records.format import MAX_SLOWEST, SlowestJson
from ocr_baseline.vocabulary import Stage


def record_of(slowest: Slowest) -> SlowestJson:
    record = slowest.record(Stage.TRAIN, 0, origin_ns=100)
    assert record is not None
    return record


def test_the_slowest_twenty_are_kept_with_their_indices() -> None:
    slowest = Slowest()
    for number in range(50):
        slowest.offer_batch((number * 7) % 50, 100 + number, [number, 1000 + number])
    record = record_of(slowest)

    assert record["batch_ns"] == list(range(49, 49 - MAX_SLOWEST, -1))
    for took, start, indices in zip(
        record["batch_ns"], record["batch_start_ns"], record["batch_indices"], strict=True
    ):
        assert (start * 7) % 50 == took
        assert indices == [start, 1000 + start]


def test_a_sample_counts_once_with_its_slowest_time() -> None:
    slowest = Slowest()
    for epoch in range(3):
        for index in range(30):
            slowest.offer_sample(index, 10 * index + epoch, 100 + epoch)
    record = record_of(slowest)

    assert record["sample"] == list(range(29, 29 - MAX_SLOWEST, -1))
    assert record["sample_ns"] == [10 * index + 2 for index in record["sample"]]
    assert set(record["sample_start_ns"]) == {2}
    assert record["samples"] == 90
    assert record["samples_ns"] == 3 * 10 * sum(range(30)) + 30 * (0 + 1 + 2)


@pytest.mark.parametrize("indices", [(1, 2), [1, "2"], [True], [-1], None, 5, [0] * 257])
def test_what_is_no_short_list_of_plain_numbers_is_not_kept(indices: object) -> None:
    slowest = Slowest()
    slowest.offer_batch(5, 100, indices)
    assert record_of(slowest)["batch_indices"] == [None]
    assert MOST_INDICES == 256


@pytest.mark.parametrize("index", [True, -1, "7", torch.tensor(7), None])
def test_a_sample_without_a_plain_number_is_passed_over(index: object) -> None:
    slowest = Slowest()
    slowest.offer_sample(index, 5, 100)
    assert slowest.record(Stage.TRAIN, 0, 0) is None


def test_nothing_new_is_no_record() -> None:
    slowest = Slowest()
    slowest.offer_sample(3, 5, 100)
    assert slowest.record(Stage.TRAIN, 0, 0) is not None
    slowest.offer_sample(3, 4, 101)
    assert slowest.record(Stage.TRAIN, 0, 0) is None


class Squares(Dataset[int]):
    def __getitem__(self, index: int) -> int:
        if index > 9:
            raise IndexError(index)
        return index * index


class WholeBatches(Squares):
    def __getitems__(self, indices: list[int]) -> list[int]:
        return [-index for index in indices]


def fetched(dataset: Any, indices: Any, *, auto_collation: bool = True) -> tuple[Any, Slowest]:
    slowest = Slowest()
    fetcher: Any = _MapDatasetFetcher(dataset, auto_collation, list, False)
    time_items(fetcher, slowest)
    return fetcher.fetch(indices), slowest


def test_the_items_of_a_batch_are_timed_and_are_the_datasets_own() -> None:
    batch, slowest = fetched(Squares(), [3, 5])
    assert batch == [9, 25]
    assert sorted(record_of(slowest)["sample"]) == [3, 5]


def test_a_dataset_that_makes_whole_batches_still_does() -> None:
    batch, slowest = fetched(WholeBatches(), [3, 5])
    assert batch == [-3, -5]
    assert slowest.record(Stage.TRAIN, 0, 0) is None
    assert fetched(Subset(Squares(), [7, 8, 9]), [0, 2])[0] == [49, 81]


def test_what_a_dataset_raises_is_raised() -> None:
    with pytest.raises(IndexError, match="10"):
        fetched(Squares(), [10])


def test_a_fetcher_of_streams_is_left_alone() -> None:
    dataset: Any = [1, 2, 3]
    fetcher = _IterableDatasetFetcher(dataset, True, list, False)
    time_items(fetcher, Slowest())
    assert fetcher.dataset is dataset


def folder_of(path: Path, kind: type[DatasetFolder] = ImageFolder) -> DatasetFolder:
    (path / "cats").mkdir(parents=True)
    for name in ("a.png", "b.png"):
        (path / "cats" / name).touch()
    return kind(str(path)) if kind is not DatasetFolder else kind(str(path), str, (".png",))


@pytest.mark.parametrize("kind", [ImageFolder, DatasetFolder])
def test_the_file_of_a_sample_of_a_dataset_folder_is_told(
    kind: type[DatasetFolder], tmp_path: Path
) -> None:
    dataset = folder_of(tmp_path, kind)
    assert file_of(dataset, 1) == str(Path("cats") / "b.png")
    assert file_of(dataset, 2) is None


class Shuffled(ImageFolder):  # type: ignore[misc]  # torchvision has no types
    def __getitem__(self, index: int) -> Any:
        return super().__getitem__(-index)


class Computed(ImageFolder):  # type: ignore[misc]  # as above
    """Has its list from a property, as a dataset of the user's may."""

    samples = property(lambda self: self.found, lambda self, found: vars(self).update(found=found))


class Guarded(ImageFolder):  # type: ignore[misc]  # as above
    """Answers for its attributes itself."""

    def __getattribute__(self, name: str) -> Any:
        assert not object.__getattribute__(self, "__dict__").get("is_closed")
        return super().__getattribute__(name)


@pytest.mark.parametrize("kind", [Shuffled, Computed, Guarded])
def test_a_file_that_is_not_certain_is_not_told_and_nothing_of_the_dataset_is_called(
    kind: type[DatasetFolder], tmp_path: Path
) -> None:
    dataset = folder_of(tmp_path, kind)
    vars(dataset)["is_closed"] = True
    assert file_of(dataset, 1) is None


def test_of_another_dataset_and_of_a_list_that_is_not_plain_no_file_is_told(
    tmp_path: Path,
) -> None:
    changed = folder_of(tmp_path)
    changed.samples = tuple(changed.samples)
    assert file_of(changed, 1) is None
    assert file_of(Squares(), 1) is None
