from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from ocr.data.batch import DetectionBatch, DetectionCollate, DetectionSample
from ocr.data.map_cache import CacheKind
from ocr.data.module import ReceiptDataModule
from ocr.data.target_maps import make_target_maps
from ocr.data.transforms import Augmentation, DetectionTransforms

MAPS = ("shrink_maps", "shrink_masks", "threshold_maps", "threshold_masks")


def page(index: int = 0, side_px: int = 64) -> DetectionSample:
    left, top = 6.25 + index, 10.0
    quad = np.array([[left, top], [40, top], [40, 30], [left, 30]], dtype=np.float32)
    speck = np.array([[50, 50], [51, 50], [51, 51]], dtype=np.float32)
    return DetectionSample(
        image=torch.zeros(3, side_px, side_px), polygons=[quad, speck], image_path=f"{index}.png"
    )


def assert_same_maps(one: DetectionBatch, other: DetectionBatch) -> None:
    for name in MAPS:
        assert torch.equal(one[name], other[name])  # type: ignore[literal-required]  # one of four


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The height of each target map that is made from now on."""
    heights: list[int] = []

    def counted(polygons: Any, height: int, width: int, **settings: float) -> Any:
        heights.append(height)
        return make_target_maps(polygons, height, width, **settings)

    monkeypatch.setattr("ocr.data.target_maps.make_target_maps", counted)
    return heights


@pytest.mark.parametrize("cache", ["memory", "disk"])
def test_maps_that_were_kept_are_those_that_would_be_made(
    cache: CacheKind, tmp_path: Path, made: list[int]
) -> None:
    collate = DetectionCollate(cache=cache, cache_dir=tmp_path)
    expected = DetectionCollate()([page(0), page(1)])
    first = collate([page(0), page(1)])
    made.clear()
    second = collate([page(1), page(0)])
    assert made == []
    assert_same_maps(first, expected)
    assert_same_maps(second, DetectionCollate()([page(1), page(0)]))


def test_without_a_cache_maps_are_made_for_each_batch(made: list[int]) -> None:
    collate = DetectionCollate()
    collate([page()])
    collate([page()])
    assert len(made) == 2


@pytest.mark.parametrize(
    "settings",
    [
        {"shrink_ratio": 0.5},
        {"threshold_min": 0.1},
        {"threshold_max": 0.9},
        {"min_side_px": 0.5},
    ],
)
def test_other_settings_find_nothing_of_what_was_kept(
    settings: dict[str, Any], tmp_path: Path, made: list[int]
) -> None:
    DetectionCollate(cache="disk", cache_dir=tmp_path)([page()])
    other = DetectionCollate(cache="disk", cache_dir=tmp_path, **settings)([page()])
    assert len(made) == 2
    assert_same_maps(other, DetectionCollate(**settings)([page()]))


def test_other_polygons_and_another_size_find_nothing_of_what_was_kept(made: list[int]) -> None:
    collate = DetectionCollate(cache="memory")
    collate([page(0)])
    collate([page(1)])
    collate([page(0, side_px=96)])
    assert made == [64, 64, 96]


def test_a_batch_that_is_changed_leaves_what_is_kept_as_it_was() -> None:
    collate = DetectionCollate(cache="memory")
    batch = collate([page()])
    for name in MAPS:
        batch[name].fill_(7.0)  # type: ignore[literal-required]  # one of four
    assert_same_maps(collate([page()]), DetectionCollate()([page()]))


def test_files_are_shared_with_a_copy_in_another_process_and_a_later_run(
    tmp_path: Path, made: list[int]
) -> None:
    collate = DetectionCollate(cache="disk", cache_dir=tmp_path / "maps")
    collate([page()])
    made.clear()
    assert_same_maps(pickle.loads(pickle.dumps(collate))([page()]), DetectionCollate()([page()]))  # noqa: S301  # pickled in the line itself
    made.clear()
    DetectionCollate(cache="disk", cache_dir=tmp_path / "maps")([page()])
    assert made == []


@pytest.mark.parametrize("kept_bytes", [0, 100, 20_000])
def test_a_damaged_file_is_made_anew(kept_bytes: int, tmp_path: Path, made: list[int]) -> None:
    collate = DetectionCollate(cache="disk", cache_dir=tmp_path)
    collate([page()])
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    whole = file.read_bytes()
    file.write_bytes(whole[:kept_bytes])
    assert_same_maps(collate([page()]), DetectionCollate()([page()]))
    assert file.read_bytes() == whole
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_folder_that_can_not_be_written_to_is_a_warning_and_the_maps_are_made(
    tmp_path: Path,
) -> None:
    (tmp_path / "maps").write_text("a file where the folder should be")
    collate = DetectionCollate(cache="disk", cache_dir=tmp_path / "maps")
    with pytest.warns(UserWarning, match=r"can't be kept there .* set data\.collate\.cache_dir"):
        batch = collate([page()])
    assert_same_maps(batch, DetectionCollate()([page()]))


def test_a_persistent_worker_keeps_its_maps_for_the_next_epoch(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    pages = [page(index) for index in range(4)]
    loader: DataLoader[DetectionSample] = DataLoader(
        pages,  # type: ignore[arg-type]  # a list is a dataset
        batch_size=2,
        num_workers=1,
        persistent_workers=True,
        collate_fn=DetectionCollate(cache="memory"),
        multiprocessing_context="fork",
        worker_init_fn=lambda _: _count_in_file(calls),
    )
    first, second = list(loader), list(loader)
    assert calls.read_text() == "made\n" * 4
    for one, other in zip(first, second, strict=True):
        assert_same_maps(one, other)


def _count_in_file(calls: Path) -> None:
    from ocr.data import target_maps

    def counted(*args: Any, **settings: Any) -> Any:
        with calls.open("a") as file:
            file.write("made\n")
        return make_target_maps(*args, **settings)

    target_maps.make_target_maps = counted


@pytest.mark.parametrize(
    ("cache", "complaint"), [("disk", "needs cache_dir"), ("shelf", "'none', 'memory' or 'disk'")]
)
def test_an_impossible_cache_is_refused_with_what_it_needs(cache: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        DetectionCollate(cache=cache)


@pytest.mark.parametrize("cache", ["memory", "disk"])
def test_pages_that_vary_are_not_cached(cache: CacheKind, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"set data\.transforms\.augmentation=null"):
        ReceiptDataModule(
            root=tmp_path,
            transforms=DetectionTransforms(augmentation=Augmentation()),
            collate=DetectionCollate(cache=cache, cache_dir=tmp_path),
        )


def test_workers_that_end_with_the_epoch_keep_nothing_in_memory(tmp_path: Path) -> None:
    def module(cache: CacheKind, num_workers: int) -> ReceiptDataModule:
        return ReceiptDataModule(
            root=tmp_path,
            transforms=DetectionTransforms(),
            collate=DetectionCollate(cache=cache, cache_dir=tmp_path),
            num_workers=num_workers,
            persistent_workers=False,
        )

    with pytest.raises(ValueError, match=r"set data\.persistent_workers=true"):
        module("memory", 1)
    module("memory", 0)
    module("disk", 1)
