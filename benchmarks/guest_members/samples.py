"""Samples that are certain, or else not told."""

from __future__ import annotations

from collections import Counter, UserDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.utilities import CombinedLoader
from torch.overrides import TorchFunctionMode
from torch.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    SequentialSampler,
    Subset,
    WeightedRandomSampler,
)

from benchmarks.guest_members.member import Members
from benchmarks.guest_members.session import Items, Net, loader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.guest_members.session import Guest

member = Members()


class Images(Dataset[Any]):
    """Images of three channels and many sizes, with their targets."""

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> Any:
        return torch.ones(3, 8, 8 + index % 3), {"boxes": torch.zeros(index % 3, 4)}


class Sums(Net):
    """Trains on all tensors of a batch."""

    def loss_of(self, batch: Any) -> torch.Tensor:
        """Return the loss of a batch of whatever make."""
        total = sum(
            float(leaf.sum())
            for leaf in torch.utils._pytree.tree_leaves(batch)
            if isinstance(leaf, torch.Tensor)
        )
        loss: torch.Tensor = self.layer(torch.full((1, 8), total / 1000)).pow(2).mean()
        return loss

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        """Return the loss, and log nothing."""
        return self.loss_of(batch)


def _fit(guest: Guest, train: Any, samples: int, validation: Any = None, **arguments: Any) -> None:
    guest.fit(Sums(), train, validation, max_epochs=1, **arguments)
    guest.true("train.samples", samples)


@member
def list_of_images(guest: Guest) -> None:
    """A detection batch: a tuple of images of many sizes and a tuple of targets."""

    def collate(items: Any) -> Any:
        return tuple(zip(*items, strict=True))

    train = DataLoader(Images(), batch_size=4, collate_fn=collate)
    _fit(guest, train, 12, DataLoader(Images(), batch_size=8, collate_fn=collate))
    guest.true("validation.samples", 12)


def _combined(guest: Guest, mode: Any, samples: int) -> None:
    _fit(
        guest,
        CombinedLoader({"a": loader(8, batch_size=2), "b": loader(64, batch_size=8)}, mode),
        samples,
    )


@member
def combined_longest(guest: Guest) -> None:
    """Two loaders of unequal length, to the end of the longer."""
    _combined(guest, "max_size", 72)


@member
def combined_shortest(guest: Guest) -> None:
    """Two loaders of unequal length, to the end of the shorter."""
    _combined(guest, "min_size", 8 + 32)


@member
def combined_cycled(guest: Guest) -> None:
    """Two loaders of unequal length, the shorter again and again."""
    _combined(guest, "max_size_cycle", 16 + 64)


@member
def combined_validation(guest: Guest) -> None:
    """Two validation loaders one after the other, of other batch sizes."""
    two = [loader(8, batch_size=2), loader(10, batch_size=4)]
    _fit(guest, loader(), 16, two)
    guest.true("validation.samples", 18)


@member
def nested_loaders(guest: Guest) -> None:
    """A list of loaders inside a dictionary."""
    _fit(guest, {"a": [loader(8), loader(8)], "b": loader(8)}, 24)


@member
def last_batch_dropped(guest: Guest) -> None:
    """The last, smaller batch is dropped."""
    _fit(guest, loader(18, drop_last=True), 16)


@member
def last_batch_smaller(guest: Guest) -> None:
    """The last batch is smaller."""
    _fit(guest, loader(18), 18)


@member
def batches_made_by_the_dataset(guest: Guest) -> None:
    """The dataset gives whole batches; the loader batches nothing."""

    class Batches(Items):
        def __getitem__(self, index: int) -> torch.Tensor:
            return self.rows[:3]

    _fit(guest, DataLoader(Batches(5), batch_size=None), 15)


@member
def stream(guest: Guest) -> None:
    """A stream in batches, the last one smaller."""

    class Stream(IterableDataset[torch.Tensor]):
        def __iter__(self) -> Iterator[torch.Tensor]:
            return iter(Items(10).rows)

    _fit(guest, DataLoader(Stream(), batch_size=4), 10)


@member
def sequence_first(guest: Guest) -> None:
    """A batch of texts with time first: seven steps of four samples."""
    train = DataLoader(Items(), batch_size=4, collate_fn=lambda rows: torch.stack(rows).T)
    _fit(guest, train, 16)


@member
def items_dropped_in_collate(guest: Guest) -> None:
    """The collate function drops half of the items: eight are trained on."""
    train = DataLoader(Items(), batch_size=4, collate_fn=lambda rows: torch.stack(rows[:2]))
    _fit(guest, train, 8)


@member
def items_doubled_in_collate(guest: Guest) -> None:
    """The collate function makes two views of each item."""
    train = DataLoader(Items(), batch_size=4, collate_fn=lambda rows: torch.stack(rows + rows))
    guest.fit(Sums(), train, max_epochs=1)
    guest.true("train.samples", (16, 32))


@member
def batch_doubled_in_a_hook(guest: Guest) -> None:
    """A hook of the module doubles each batch after its transfer."""

    class Doubles(Sums):
        def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
            return [torch.cat([batch[0], batch[0]])]

    guest.fit(Doubles(), loader(), max_epochs=1)
    guest.true("train.samples", (16, 32))


@member
def size_given_to_log(guest: Guest) -> None:
    """A list of batches, whose step tells `batch_size` to `self.log`."""

    class Logs(Sums):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            loss = self.loss_of(batch)
            self.log("loss", loss, batch_size=5)
            return loss

    guest.fit(Logs(), [{"x": torch.ones(3, 5)} for _ in range(3)], max_epochs=1)
    guest.true("train.samples", 15)


@member
def size_unknown(guest: Guest) -> None:
    """A list of batches without anything that tells their size: not measured."""
    guest.fit(Sums(), [{"x": torch.ones(3, 5)} for _ in range(3)], max_epochs=1)
    guest.true("train.samples", None)


@member
def limited(guest: Guest) -> None:
    """Three batches of four by limit_train_batches."""
    _fit(guest, loader(), 12, limit_train_batches=3)


@member
def overfitted(guest: Guest) -> None:
    """Two batches by overfit_batches, also in validation."""
    _fit(guest, loader(), 8, loader(), overfit_batches=2)


@member
def weighted(guest: Guest) -> None:
    """A sampler with replacement draws more samples than there are."""
    sampler = WeightedRandomSampler([1.0] * 16, num_samples=22)
    _fit(guest, DataLoader(Items(), batch_size=4, sampler=sampler), 22)


@member
def subset(guest: Guest) -> None:
    """A subset of a dataset, in dictionaries of tensors of other first dimensions."""

    class Dictionaries(Items):
        def __getitem__(self, index: int) -> Any:
            return {"ids": torch.ones(1), "x": self.rows[index]}

    _fit(guest, DataLoader(Subset(Dictionaries(), range(7)), batch_size=3), 7)


@member
def ragged_inputs(guest: Guest) -> None:
    """Point clouds: all points of a batch in one tensor, with their samples' numbers."""

    def collate(rows: list[torch.Tensor]) -> Any:
        return torch.cat([row.repeat(3, 1) for row in rows]), torch.arange(
            len(rows)
        ).repeat_interleave(3)

    _fit(guest, DataLoader(Items(), batch_size=4, collate_fn=collate), 16)


@member
def batch_size_changes(guest: Guest) -> None:
    """The loader is made anew each epoch, with another batch size."""

    class Grows(Sums):
        def train_dataloader(self) -> Any:
            return loader(16, batch_size=2 * (self.current_epoch + 1))

    trainer = guest.trainer(reload_dataloaders_every_n_epochs=1)
    trainer.fit(guest.kept(Grows()))
    guest.true("train.samples", 32)


@member
def workers_with_own_sizes(guest: Guest) -> None:
    """A stream split over two workers, each with a smaller last batch."""

    class Split(IterableDataset[torch.Tensor]):
        def __iter__(self) -> Iterator[torch.Tensor]:
            info = torch.utils.data.get_worker_info()
            return iter(Items(10).rows[0 if info is None else info.id :: 2])

    _fit(guest, DataLoader(Split(), batch_size=4, num_workers=2), 10)


@member
def predicted(guest: Guest) -> None:
    """A prediction of ten rows in batches of four."""
    trainer = guest.trainer()
    trainer.predict(guest.kept(Net()), loader(10))
    guest.true("predict.samples", 10)


@member
def seen_by_a_mode(guest: Guest) -> None:
    """A mode of the user's sees what of torch is called on batches."""
    seen: Counter[str] = Counter()

    class Sees(TorchFunctionMode):
        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            seen[func.__qualname__] += 1
            return func(*args, **(kwargs or {}))

    with Sees():
        guest.fit(Sums(), loader(14), loader(), max_epochs=1)
    guest.true("train.samples", 14)
    guest.tell(seen=sorted(seen.items()))


@dataclass
class _Rows:
    rows: torch.Tensor


class _NamedRows(NamedTuple):
    rows: torch.Tensor


class _RowsByName(UserDict[str, torch.Tensor]):
    pass


class _Given(Net):
    """Trains on the rows of a batch, whatever holds them, and counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.samples = 0

    def loss_of(self, batch: Any) -> torch.Tensor:
        """Return the loss of the rows."""
        rows = batch["rows"] if isinstance(batch, _RowsByName) else batch.rows
        self.samples += len(rows)
        return super().loss_of([rows])

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        """Return the loss, and log nothing."""
        return self.loss_of(batch)


def _given(guest: Guest, collate: Any, **arguments: Any) -> None:
    """Train on what a collate function makes; what was trained on may be told, or nothing."""
    module = _Given()
    train = DataLoader(Items(10), batch_size=4, collate_fn=collate, **arguments)
    guest.fit(module, train, max_epochs=1)
    guest.true("train.samples", module.samples)


@member
def dropped_from_a_dataclass(guest: Guest) -> None:
    """The collate function drops an item and makes a dataclass."""
    _given(guest, lambda items: _Rows(torch.stack(items[: len(items) // 2])))


@member
def dropped_from_a_named_tuple(guest: Guest) -> None:
    """The collate function drops an item and makes a named tuple."""
    _given(guest, lambda items: _NamedRows(torch.stack(items[: len(items) // 2])))


@member
def dropped_from_a_mapping(guest: Guest) -> None:
    """The collate function drops an item and makes a mapping of the user's own."""
    _given(guest, lambda items: _RowsByName(rows=torch.stack(items[: len(items) // 2])))


@member
def sampler_says_more(guest: Guest) -> None:
    """A sampler gives fewer items than its length says, into a dataclass."""

    class Says(SequentialSampler):
        def __iter__(self) -> Iterator[int]:
            return iter(range(7))

    _given(guest, lambda items: _Rows(torch.stack(items)), sampler=Says([1] * 10))


@member
def resumed_in_the_middle(guest: Guest) -> None:
    """A checkpoint of the middle of an epoch is resumed; batches are dataclasses."""

    class Saves(Callback):
        def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
            if args[-1] == 1:
                trainer.save_checkpoint(guest.folder / "middle.ckpt")

    def train() -> DataLoader[Any]:
        return DataLoader(
            Items(18), batch_size=4, collate_fn=lambda items: _Rows(torch.stack(items))
        )

    guest.fit(_Given(), train(), None, Saves(), max_epochs=1)
    guest.true("train.samples", 18)
    module = _Given()
    trainer = guest.trainer(max_epochs=1)
    trainer.fit(guest.kept(module), train(), ckpt_path=guest.folder / "middle.ckpt")
    guest.true("train.samples", module.samples, run=1)
