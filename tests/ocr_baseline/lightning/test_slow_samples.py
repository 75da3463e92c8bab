"""Which samples are slow, with real loaders."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, Dataset, Subset, get_worker_info

from ocr_baseline.model.document import Workers
from tests.ocr_baseline.lightning.tiny_runs import tiny_run

pytestmark = pytest.mark.slow

ITEMS, SLOW, SLOW_S = 12, 7, 0.3


class Items(Dataset[torch.Tensor]):
    """Sleeps for one item; every item must find its own dataset in the worker."""

    def __len__(self) -> int:
        return ITEMS

    def __getitem__(self, index: int) -> torch.Tensor:
        worker = get_worker_info()
        assert worker is not None
        assert type(worker.dataset) in (Items, Subset)
        if index == SLOW:
            time.sleep(SLOW_S)
        return torch.full((4,), float(index))


def _workers(tmp_path: Path, dataset: Dataset[torch.Tensor], **settings: Any) -> Workers:
    loader = DataLoader(dataset, batch_size=2, num_workers=2, shuffle=True, **settings)
    run = tiny_run(tmp_path, lambda t, m: t.fit(m, loader), max_epochs=2)
    [workers] = run.baseline.workers
    return workers


@pytest.mark.parametrize("settings", [{}, {"persistent_workers": True}], ids=["anew", "kept"])
def test_the_slowest_sample_is_named_by_its_index(settings: Any, tmp_path: Path) -> None:
    workers = _workers(tmp_path, Items(), **settings)
    slowest = workers.slowest_samples[0]

    assert slowest.index == SLOW
    assert slowest.time_s >= SLOW_S
    assert slowest.epoch in (0, 1)
    assert workers.sample_mean_s is not None
    assert len({sample.index for sample in workers.slowest_samples}) == ITEMS
    batches = workers.slowest_batches
    assert len(batches) == ITEMS
    assert [SLOW in (batch.indices or []) for batch in batches[:2]] == [True, True]
    assert {batch.epoch for batch in batches} == {0, 1}


def test_a_subset_makes_whole_batches_and_its_slowest_batch_is_named(tmp_path: Path) -> None:
    workers = _workers(tmp_path, Subset(Items(), range(SLOW, ITEMS)))

    assert workers.slowest_samples == []
    assert 0 in (workers.slowest_batches[0].indices or [])
