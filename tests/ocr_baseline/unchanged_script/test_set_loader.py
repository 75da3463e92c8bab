"""Settings from outside: how they travel, and what becomes of them in a loader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, RandomSampler, TensorDataset

from ocr_baseline.layout import TRIAL_VARIABLE
from ocr_baseline.unchanged_script.set_loader import Told, set_loader
from ocr_baseline.unchanged_script.settings import (
    Limits,
    LoaderSettings,
    Settings,
    TrainerSettings,
    trial,
)

DATA = TensorDataset(torch.arange(12.0))


class OwnLoader(DataLoader[Any]):
    def __init__(self, rows: int) -> None:
        super().__init__(DATA, batch_size=4)
        self.rows = rows


class Stream(IterableDataset[int]):
    def __iter__(self) -> Iterator[int]:
        return iter(range(4))


def batch_sizes(loader: DataLoader[Any]) -> list[int]:
    return [len(rows) for (rows,) in loader]


def test_settings_arrive_in_a_process_as_they_were_asked_for(tmp_path: Path) -> None:
    settings = Settings(
        train=LoaderSettings(num_workers=2, persistent_workers=True),
        validation=LoaderSettings(batch_size=8),
        trainer=TrainerSettings(checkpoint_interval_times=10),
        limits=Limits(max_epochs=2, train_batches=20),
    )
    found = trial(settings.environment() | {TRIAL_VARIABLE: str(tmp_path)})
    assert found is not None
    assert found.settings == settings
    assert found.folder == tmp_path


def test_a_process_that_is_no_trial_is_asked_for_nothing() -> None:
    assert trial({}) is None
    assert trial({TRIAL_VARIABLE: "trials/a-0"}) is None


def test_workers_are_given_to_a_loader_of_a_class_of_its_own() -> None:
    loader = OwnLoader(rows=4)
    told = set_loader(loader, "train", LoaderSettings(num_workers=1, persistent_workers=True))
    assert told == [
        Told(what="train.num_workers", before=0, after=1),
        Told(what="train.persistent_workers", before=False, after=True),
    ]
    assert batch_sizes(loader) == [4, 4, 4]
    assert loader._iterator is not None  # the workers stay


def test_workers_are_taken_from_a_loader() -> None:
    loader = DataLoader(DATA, batch_size=4, num_workers=2, persistent_workers=True, timeout=5)
    set_loader(loader, "train", LoaderSettings(num_workers=0))
    assert batch_sizes(loader) == [4, 4, 4]


def test_batches_become_larger_in_the_order_of_the_loaders_sampler() -> None:
    loader = DataLoader(DATA, batch_size=1, sampler=range(11, -1, -1))
    set_loader(loader, "validation", LoaderSettings(batch_size=8))
    [first, last] = [rows.tolist() for (rows,) in loader]
    assert first + last == list(range(11, -1, -1))
    assert len(loader) == 2


@pytest.mark.parametrize(
    ("loader", "asked", "why"),
    [
        (DataLoader(Stream()), LoaderSettings(num_workers=2), "IterableDataset"),
        (DataLoader(DATA, batch_size=None), LoaderSettings(batch_size=8), "from the dataset"),
        (
            DataLoader(DATA, batch_sampler=[[0, 1], [2]]),
            LoaderSettings(batch_size=8),
            "a sampler of its own",
        ),
        (DataLoader(DATA), LoaderSettings(prefetch_factor=8), "no workers"),
        ([1, 2], LoaderSettings(num_workers=2), "a list and not torch's DataLoader"),
    ],
)
def test_what_can_not_be_set_is_told_with_its_reason(
    loader: Any, asked: LoaderSettings, why: str
) -> None:
    [told] = set_loader(loader, "train", asked)
    assert told.why_not is not None
    assert why in told.why_not
    assert told.after is None


def test_each_worker_computes_in_so_many_threads_after_its_own_start() -> None:
    begun: list[int] = []
    sampler = RandomSampler(DATA)
    loader = DataLoader(DATA, sampler=sampler, num_workers=1, worker_init_fn=begun.append)
    set_loader(loader, "train", LoaderSettings(worker_threads=1))
    threads = torch.get_num_threads()
    try:
        assert loader.worker_init_fn is not None
        loader.worker_init_fn(3)
        assert begun == [3]
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)
