"""What makes the batches in loader workers, streams and fetchers of the user's own included."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader, Dataset, IterableDataset
from torch.utils.data.dataloader import _DatasetKind

from tests.ocr_baseline.lightning.tiny_runs import tiny_run
from tests.ocr_baseline.lightning.worker_parts import WrittenItems

pytestmark = pytest.mark.slow


class Exclusive(IterableDataset[torch.Tensor]):
    """Endless; a pass makes a file that no other may find, and removes it as it is left."""

    def __init__(self, folder: Path) -> None:
        self.taken = folder / "taken"
        self.left = folder / "left"

    def __iter__(self) -> Iterator[torch.Tensor]:
        self.taken.touch(exist_ok=False)
        try:
            while True:
                yield torch.ones(4)
        finally:
            self.taken.unlink()
            self.left.write_text(self.left.read_text() + "x" if self.left.exists() else "x")


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_stream_in_a_worker_cleans_up_before_the_next_pass_and_as_the_worker_ends(
    is_kept: bool, tmp_path: Path
) -> None:
    stream = Exclusive(tmp_path)

    def fit(trainer: Trainer, module: LightningModule) -> None:
        batches = DataLoader(stream, batch_size=2, num_workers=1, persistent_workers=is_kept)
        trainer.fit(module, batches)

    run = tiny_run(tmp_path / "run", fit, max_epochs=3, limit_train_batches=2)

    assert run.ended_by is None
    assert run.phase("train").batches == 6
    if not is_kept:  # the workers have ended with their pass
        assert stream.left.read_text() == "xxx"


@pytest.mark.parametrize("context", ["spawn", "forkserver"])
def test_a_dataset_goes_as_its_started_worker_ends(context: str, tmp_path: Path) -> None:
    written = tmp_path / "written"

    def fit(trainer: Trainer, module: LightningModule) -> None:
        items = WrittenItems(written)
        batches = DataLoader(items, batch_size=2, num_workers=1, multiprocessing_context=context)
        trainer.fit(module, batches)

    run = tiny_run(tmp_path / "run", fit, max_epochs=1)

    assert run.phase("train").batches == 4
    assert written.read_text() == "x" * 8, "what was buffered is written as the file goes"


class Slotted:
    """A fetcher without weak references, and with nothing that could be put in place."""

    __slots__ = ("_inner",)

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def fetch(self, index: Any) -> Any:
        return self._inner.fetch(index)


class Functional:
    """A fetcher whose `fetch` is a function of its own."""

    def __init__(self, inner: Any) -> None:
        self.fetch = lambda index: inner.fetch(index)


class Rows(Dataset[torch.Tensor]):
    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.ones(4)


@pytest.mark.parametrize("own", [Slotted, Functional])
def test_a_fetcher_of_the_users_own_makes_its_batches_as_without_us(
    own: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create: Any = _DatasetKind.create_fetcher
    monkeypatch.setattr(
        _DatasetKind, "create_fetcher", staticmethod(lambda *args: own(create(*args)))
    )

    def fit(trainer: Trainer, module: LightningModule) -> None:
        trainer.fit(module, DataLoader(Rows(), batch_size=2, num_workers=1))

    run = tiny_run(tmp_path / "run", fit, max_epochs=2)

    assert run.ended_by is None
    assert run.phase("train").batches == 8
