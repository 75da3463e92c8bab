"""Samples are what is known for certain, or not measured."""

from __future__ import annotations

import copy
from collections import Counter, UserDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import CombinedLoader
from torch.overrides import TorchFunctionMode
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    SequentialSampler,
    TensorDataset,
)

from tests.ocr_baseline.lightning import tiny_runs as tiny
from tests.ocr_baseline.lightning.test_endings import alone, outcome
from tests.ocr_baseline.lightning.tiny_runs import TinyModule, loader, tiny_run

pytestmark = pytest.mark.usefixtures("simulated_clock")


class TakesAnything(TinyModule):
    """Its step doesn't look at the batch."""

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        return super().training_step(torch.ones(2, 4), batch_idx)


class TellsItsSize(TakesAnything):
    def training_step(self, batch: Any, batch_idx: int) -> Any:
        loss = super().training_step(batch, batch_idx)
        self.log("told", loss.detach(), batch_size=5)
        return loss


class ChangesBatches(TakesAnything):
    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        return torch.cat([batch, batch])


class ChangesAsItTransfers(TakesAnything):
    def transfer_batch_to_device(self, batch: Any, *args: Any) -> Any:
        return batch.reshape(-1, 2)


class ChangesByAnAttribute(TakesAnything):
    def __init__(self) -> None:
        super().__init__()
        self.on_after_batch_transfer = lambda batch, _: torch.cat([batch, batch])  # type: ignore[assignment,method-assign]  # what is tried


class Images(Dataset[Any]):
    """Pictures of three channels and several sizes, each with its boxes."""

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> Any:
        return torch.ones(3, 8, 8 + index % 3), {"boxes": torch.zeros(index % 3, 4)}


def transposed(items: list[Any]) -> Any:
    return tuple(zip(*items, strict=True))


def without_the_first(items: list[Any]) -> Any:
    return torch.stack(items[1:])


@dataclass
class Rows:
    rows: torch.Tensor
    source: str = "disk"


class NamedRows(NamedTuple):
    rows: torch.Tensor


class OwnDict(dict[str, torch.Tensor]):
    pass


class OwnMapping(UserDict[str, torch.Tensor]):
    pass


class SaysMore(SequentialSampler):
    """Has fewer items than its length says."""

    def __iter__(self) -> Iterator[int]:
        return iter(range(5))


def rows_of(items: list[Any]) -> Any:
    return Rows(torch.stack(items))


class OneLess(BatchSampler):
    """A batch sampler of the user's own: its length and size tell nothing."""

    def __iter__(self) -> Iterator[list[int]]:
        yield [0]
        yield [1, 2, 3]


def combined(mode: Any) -> Any:
    return CombinedLoader({"small": loader(4), "large": loader(18, batch_size=6)}, mode)


CASES: dict[str, tuple[Any, type[TinyModule], int | None]] = {
    "a last batch that is smaller": (lambda: loader(7), TakesAnything, 7),
    "a last batch that is dropped": (lambda: loader(7, drop_last=True), TakesAnything, 6),
    "pictures in lists": (
        lambda: DataLoader(Images(), batch_size=4, collate_fn=transposed),
        TakesAnything,
        10,
    ),
    "a list of items": (
        lambda: DataLoader(Images(), batch_size=4, collate_fn=list),
        TakesAnything,
        10,
    ),
    "words": (lambda: DataLoader(["a", "b", "c"], batch_size=2), TakesAnything, 3),  # type: ignore[arg-type]  # a list is dataset enough
    "a stream in batches": (lambda: DataLoader(tiny.Stream(7), batch_size=2), TakesAnything, 7),
    "a batch sampler of one's own": (
        lambda: DataLoader(
            tiny.Items(4), batch_sampler=OneLess(SequentialSampler([1] * 4), 2, False)
        ),
        TakesAnything,
        4,
    ),
    "several loaders, the longest's length": (lambda: combined("max_size"), TakesAnything, 22),
    "several loaders, the shorter again": (lambda: combined("max_size_cycle"), TakesAnything, 24),
    "several loaders, the shortest's length": (lambda: combined("min_size"), TakesAnything, 16),
    "batches that a hook changes": (lambda: loader(7), ChangesBatches, None),
    "batches that change on their way to the device": (
        lambda: loader(7),
        ChangesAsItTransfers,
        None,
    ),
    "batches that a hook of the object changes": (lambda: loader(7), ChangesByAnAttribute, None),
    "several loaders whose collate functions drop items": (
        lambda: CombinedLoader(
            [loader(8, batch_size=4, collate_fn=without_the_first), loader(8, batch_size=4)]
        ),
        TakesAnything,
        None,
    ),
    "several loaders, one inside a list": (
        lambda: CombinedLoader({"one": loader(4), "more": [loader(4), loader(8)]}, "max_size"),
        TakesAnything,
        16,
    ),
    "items that the collate function drops": (
        lambda: loader(8, batch_size=4, collate_fn=without_the_first),
        TakesAnything,
        None,
    ),
    **{
        f"items that the collate function drops from {kind}": (
            lambda make=make: loader(
                8, batch_size=4, collate_fn=lambda items: make(torch.stack(items[1:]))
            ),
            TakesAnything,
            None,
        )
        for kind, make in {
            "a dataclass": Rows,
            "a named tuple": NamedRows,
            "a dict of one's own": lambda rows: OwnDict(rows=rows),
            "a mapping of one's own": lambda rows: OwnMapping(rows=rows),
        }.items()
    },
    "a dataclass": (
        lambda: loader(7, batch_size=4, collate_fn=rows_of),
        TakesAnything,
        7,
    ),
    "a sampler that gives fewer than it says": (
        lambda: loader(8, batch_size=2, sampler=SaysMore([1] * 8), collate_fn=rows_of),
        TakesAnything,
        None,
    ),
    "words of a sampler that gives fewer than it says": (
        lambda: DataLoader(list("abcdefgh"), batch_size=2, sampler=SaysMore([1] * 8)),  # type: ignore[arg-type]  # a list is dataset enough
        TakesAnything,
        None,
    ),
    "single pictures without a batch": (
        lambda: DataLoader(Images(), batch_size=None),
        TakesAnything,
        None,
    ),
    "whole batches from the dataset": (
        lambda: DataLoader([torch.ones(5, 4)] * 3, batch_size=None),  # type: ignore[arg-type]  # a list is dataset enough
        TakesAnything,
        None,
    ),
    "whole batches whose size the step tells": (
        lambda: DataLoader([torch.ones(5, 4)] * 3, batch_size=None),  # type: ignore[arg-type]  # a list is dataset enough
        TellsItsSize,
        15,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_samples_are_right_or_not_measured(case: str, tmp_path: Path) -> None:
    make, module_class, samples = CASES[case]

    run = tiny_run(tmp_path, lambda t, m: t.fit(m, make()), module=module_class())

    assert run.ended_by is None
    assert run.phase("train").samples == samples


def test_samples_of_a_batch_that_a_callback_has_made_larger_are_not_measured(
    tmp_path: Path,
) -> None:
    class Mixes(Callback):
        def on_train_batch_start(self, trainer: Any, module: Any, batch: Any, *args: Any) -> None:
            batch[0] = torch.cat([batch[0], batch[0]])

    def action(trainer: Trainer, module: LightningModule) -> None:
        pairs = TensorDataset(torch.ones(8, 4), torch.ones(8))
        trainer.fit(module, DataLoader(pairs, batch_size=4))

    run = tiny_run(tmp_path, action, callbacks=[Mixes()], module=TakesAnything())

    assert run.phase("train").samples is None


class DrawsWhenRead(Mapping[str, torch.Tensor]):
    """Looking at it changes the run's random numbers."""

    def __init__(self, values: torch.Tensor) -> None:
        self.values_ = values

    def __getitem__(self, key: str) -> torch.Tensor:
        return self.values_ + torch.rand(1)

    def __iter__(self) -> Iterator[str]:
        torch.rand(1)
        return iter(["x"])

    def __len__(self) -> int:
        torch.rand(1)
        return 1

    @property
    def shape(self) -> Any:
        return torch.rand(1)


def test_a_batch_of_the_users_own_kind_is_not_looked_into(tmp_path: Path) -> None:
    class Reads(TakesAnything):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            return self.loss_of(batch["x"])

        def transfer_batch_to_device(self, batch: Any, *args: Any) -> Any:
            return batch

    def action(trainer: Trainer, module: LightningModule) -> None:
        trainer.fit(module, loader(collate_fn=lambda items: DrawsWhenRead(torch.stack(items))))

    module = Reads()
    bare = alone(tmp_path / "without", action, module=copy.deepcopy(module))
    run = tiny_run(tmp_path / "with", action, module=module)

    assert outcome(run) == outcome(bare)
    assert run.phase("train").samples == 8


def test_samples_of_an_epoch_that_is_resumed_in_its_middle_are_not_guessed(tmp_path: Path) -> None:
    class Saves(Callback):
        def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
            if args[-1] == 1:
                trainer.save_checkpoint(tmp_path / "middle.ckpt")

    def fit(trainer: Trainer, module: LightningModule) -> None:
        trainer.fit(module, loader(9, collate_fn=lambda items: frozenset(items)))

    def resume(trainer: Trainer, module: LightningModule) -> None:
        trainer.fit(
            module,
            loader(9, collate_fn=lambda items: frozenset(items)),
            ckpt_path=tmp_path / "middle.ckpt",
        )

    whole = tiny_run(tmp_path / "whole", fit, callbacks=[Saves()], module=TakesAnything())
    rest = tiny_run(tmp_path / "rest", resume, module=TakesAnything())

    assert whole.phase("train").samples == 9
    # Lightning 2.1 runs the batch of the checkpoint again.
    assert rest.phase("train").batches in {3, 4}
    assert rest.phase("train").samples is None


class Sees(TorchFunctionMode):
    """Notes which of torch's functions are called on tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.calls[func.__qualname__] += 1
        return func(*args, **(kwargs or {}))


@pytest.mark.slow
def test_a_mode_that_sees_torchs_functions_sees_the_same_as_without_us(tmp_path: Path) -> None:
    def fit(trainer: Trainer, module: LightningModule) -> None:
        batches = DataLoader(TensorDataset(torch.ones(8, 4)), batch_size=2)
        with modes[-1]:
            trainer.fit(module, batches, loader(6))

    modes = [Sees()]
    alone(tmp_path / "alone", fit, TakesAnything())
    modes.append(Sees())
    run = tiny_run(tmp_path / "with", fit, module=TakesAnything())

    assert modes[0].calls == modes[1].calls
    assert run.phase("train").samples == 8
