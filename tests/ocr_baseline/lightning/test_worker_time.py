"""What workers computed and what they waited for, with real loaders."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from ocr_baseline.model.document import Workers
from tests.ocr_baseline.lightning.tiny_runs import tiny_run

pytestmark = pytest.mark.slow

ITEM_S = 0.02
ITEMS = 12


class Remote(Dataset[torch.Tensor]):
    """Waits for each item, as for a distant store."""

    def __len__(self) -> int:
        return ITEMS

    def __getitem__(self, index: int) -> torch.Tensor:
        time.sleep(ITEM_S)  # never less, however busy the machine is
        return torch.full((4,), float(index))


class Decoded(Remote):
    """Computes for each item, until it has had its processor time."""

    def __getitem__(self, index: int) -> torch.Tensor:
        began_s = time.thread_time()
        while time.thread_time() - began_s < ITEM_S:
            pass
        return torch.full((4,), float(index))


def _two_threads(worker_id: int) -> None:
    torch.set_num_threads(2)


def _workers(tmp_path: Path, dataset: Dataset[torch.Tensor], **settings: Any) -> Workers:
    loader = DataLoader(dataset, batch_size=2, num_workers=1, **settings)
    run = tiny_run(tmp_path, lambda t, m: t.fit(m, loader), max_epochs=1)
    [workers] = run.baseline.workers
    return workers


def test_what_workers_waited_is_not_among_what_they_computed(tmp_path: Path) -> None:
    workers = _workers(tmp_path, Remote())
    assert workers.cpu_s is not None
    # What sampling computes during a wait counts, so not all of it is left.
    assert workers.cpu_s <= workers.busy_s - ITEMS * ITEM_S / 2


def test_workers_that_compute_have_used_the_processor_time_that_their_items_took(
    tmp_path: Path,
) -> None:
    workers = _workers(tmp_path, Decoded())
    assert workers.cpu_s is not None
    assert workers.cpu_s >= ITEMS * ITEM_S


@pytest.mark.parametrize(("set_up", "threads"), [(None, 1), (_two_threads, 2)])
def test_in_how_many_threads_torch_computes_in_a_worker_is_recorded(
    set_up: Any, threads: int, tmp_path: Path
) -> None:
    assert _workers(tmp_path, Remote(), worker_init_fn=set_up).torch_threads == threads
