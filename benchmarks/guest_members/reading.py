"""Looking at what is the user's would change it."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch.utils.data import DataLoader, Dataset

from benchmarks.guest_members.member import Members
from benchmarks.guest_members.session import BATCH_SIZE, Items, Net, loader

if TYPE_CHECKING:
    from benchmarks.guest_members.session import Guest

member = Members()
Pair = namedtuple("Pair", ["rows", "kept"])


class TakesAsIs(Net):
    """Leaves a batch where it is, and trains on what `rows_of` makes of it."""

    def transfer_batch_to_device(self, batch: Any, *args: Any) -> Any:
        """Return the batch."""
        return batch

    def rows_of(self, batch: Any) -> Any:
        """Return the rows of a batch."""
        return batch["x"]

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        """Return the loss."""
        return self.loss_of([self.rows_of(batch)])


def _loader(collate: Any) -> DataLoader[Any]:
    return DataLoader(Items(), batch_size=BATCH_SIZE, collate_fn=collate)


class Lazy(Mapping[str, torch.Tensor]):
    """A mapping whose values draw random numbers when they are read."""

    def __init__(self, rows: list[torch.Tensor]) -> None:
        self.rows = torch.stack(rows)

    def __getitem__(self, key: str) -> torch.Tensor:
        return self.rows + torch.rand(1)

    def __iter__(self) -> Iterator[str]:
        torch.rand(1)
        return iter(["x"])

    def __len__(self) -> int:
        torch.rand(1)
        return 1


@member
def lazy_mapping(guest: Guest) -> None:
    """A batch is a lazy mapping that draws random numbers."""
    guest.fit(TakesAsIs(), _loader(Lazy))


@member
def lazy_dictionary(guest: Guest) -> None:
    """A batch is a dict with a `values` that draws random numbers."""

    class Drawing(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            torch.rand(1)
            return super().__getitem__(key)

        def values(self) -> Any:
            torch.rand(1)
            return super().values()

    guest.fit(TakesAsIs(), _loader(lambda rows: Drawing(x=torch.stack(rows))))


@member
def lazy_sequence(guest: Guest) -> None:
    """A batch is a sequence whose items are augmented as they are read."""

    class Augmented(Sequence[Any]):
        def __init__(self, rows: list[torch.Tensor]) -> None:
            self.rows = rows

        def __getitem__(self, index: Any) -> Any:
            return self.rows[index] + torch.rand(8)

        def __len__(self) -> int:
            torch.rand(1)
            return len(self.rows)

    class Stacks(TakesAsIs):
        def rows_of(self, batch: Any) -> Any:
            return torch.stack([batch[index] for index in range(BATCH_SIZE)])

    guest.fit(Stacks(), _loader(Augmented))


@member
def generator(guest: Guest) -> None:
    """A batch is a generator that can be read once."""

    class Stacks(TakesAsIs):
        def rows_of(self, batch: Any) -> Any:
            return torch.stack(list(batch))

    guest.fit(Stacks(), _loader(iter))


@member
def properties(guest: Guest) -> None:
    """A batch is an object whose properties draw random numbers."""

    class Batch:
        def __init__(self, rows: list[torch.Tensor]) -> None:
            self._rows = rows

        @property
        def x(self) -> torch.Tensor:
            return torch.stack(self._rows) + torch.rand(1)

        @property
        def batch_size(self) -> int:
            torch.rand(1)
            return len(self._rows)

        def __len__(self) -> int:
            return 77

    class Reads(TakesAsIs):
        def rows_of(self, batch: Any) -> Any:
            return batch.x

    guest.fit(Reads(), _loader(Batch))


@member
def every_name(guest: Guest) -> None:
    """A batch answers every name, `shape` and `batch_size` among them, by drawing a number."""

    class Batch:
        def __init__(self, rows: list[torch.Tensor]) -> None:
            self.rows = rows

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return torch.rand(1)

    class Reads(TakesAsIs):
        def rows_of(self, batch: Any) -> Any:
            return torch.stack(batch.rows)

    guest.fit(Reads(), _loader(Batch))


@member
def tensor_subclass(guest: Guest) -> None:
    """A batch is a tensor of a subclass that counts and draws at each use."""
    uses: list[int] = []

    class Counting(torch.Tensor):
        @classmethod
        def __torch_function__(
            cls, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            uses.append(1)
            above: Any = super()  # torch leaves this method untyped
            return above.__torch_function__(function, types, args, kwargs or {})

    class Reads(TakesAsIs):
        def rows_of(self, batch: Any) -> Any:
            return batch.as_subclass(torch.Tensor)

    guest.fit(Reads(), _loader(lambda rows: torch.stack(rows).as_subclass(Counting)))
    guest.tell(uses=len(uses))


@member
def nothing(guest: Guest) -> None:
    """Every batch is None."""

    class Ignores(TakesAsIs):
        def rows_of(self, batch: Any) -> Any:
            return torch.ones(2, 8)

    guest.fit(Ignores(), _loader(lambda rows: None))


@member
def named_tuple(guest: Guest) -> None:
    """A batch is a named tuple with a text."""

    class Reads(TakesAsIs):
        def rows_of(self, batch: Any) -> Any:
            return batch.rows

    guest.fit(Reads(), _loader(lambda rows: Pair(torch.stack(rows), "text")))


@member
def text_batch(guest: Guest) -> None:
    """A batch is a list of texts of different lengths, and an array of NumPy."""

    class Reads(TakesAsIs):
        def rows_of(self, batch: Any) -> Any:
            return torch.from_numpy(batch[1])

    guest.fit(
        Reads(), _loader(lambda rows: (["a", "bcd"] * 2, np.stack([row.numpy() for row in rows])))
    )


@member
def equality_of_arrays(guest: Guest) -> None:
    """A batch compares by elements and has no truth value."""

    class Arrays(list[Any]):
        def __eq__(self, other: object) -> Any:
            return torch.ones(3)

        def __bool__(self) -> bool:
            raise ValueError("ambiguous")

        __hash__ = None

    class Reads(TakesAsIs):
        def rows_of(self, batch: Any) -> Any:
            return torch.stack([batch[0], batch[1]])

    guest.fit(Reads(), _loader(Arrays))


@member
def module_property(guest: Guest) -> None:
    """Every property of the module draws a random number."""

    class Drawing(Net):
        @property
        def device_name(self) -> float:
            return float(torch.rand(1))

        def metrics(self) -> Any:
            return torch.rand(1)

        @property
        def example_input_array(self) -> Any:
            return None

        @example_input_array.setter
        def example_input_array(self, value: Any) -> None: ...

    guest.fit(Drawing())


@member
def modules_are_made(guest: Guest) -> None:
    """A module makes its children as they are first walked through, with random weights."""

    class Making(torch.nn.Module):
        def named_modules(self, *args: Any, **kwargs: Any) -> Any:
            torch.nn.Linear(2, 2)
            return super().named_modules(*args, **kwargs)

    class Holds(Net):
        def __init__(self) -> None:
            super().__init__()
            self.making = Making()

    guest.fit(Holds())


@member
def hyperparameters_draw(guest: Guest) -> None:
    """Hyperparameters are a mapping whose values draw random numbers."""

    class Drawing(Mapping[str, Any]):
        def __getitem__(self, key: str) -> Any:
            return float(torch.rand(1))

        def __iter__(self) -> Iterator[str]:
            return iter(["rate"])

        def __len__(self) -> int:
            return 1

    guest.fit(Net(options=Drawing()))


@member
def hparams_property_draws(guest: Guest) -> None:
    """The module's hparams draw a random number when they are read."""

    class Drawing(Net):
        @property
        def hparams(self) -> Any:
            return {"rate": float(torch.rand(1))}

    guest.fit(Drawing())


@member
def sampler_draws(guest: Guest) -> None:
    """The length of a batch sampler's sampler draws from NumPy and from Python's numbers."""
    import random

    class Drawing(torch.utils.data.SequentialSampler):
        def __len__(self) -> int:
            random.random()  # noqa: S311 - no secret
            np.random.rand()
            return 16

    sampler = Drawing(Items())
    guest.fit(train=DataLoader(Items(), batch_size=BATCH_SIZE, sampler=sampler))


@member
def logged_batch_size_draws(guest: Guest) -> None:
    """`self.log` is given a batch size whose conversion draws a random number."""

    class Size(int):
        def __index__(self) -> int:
            torch.rand(1)
            return int.__index__(self)

    class Logs(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            loss = self.loss_of(batch)
            self.log("loss", loss, batch_size=Size(3))
            return loss

    guest.fit(Logs(), list(Items().parts(4)))


@member
def logger_name_draws(guest: Guest) -> None:
    """A logger's name draws a random number."""
    from lightning.pytorch.loggers.logger import DummyLogger

    class Drawing(DummyLogger):
        @property
        def name(self) -> str:
            return str(float(torch.rand(1)))

        @property
        def version(self) -> str:
            return str(float(torch.rand(1)))

    guest.fit(logger=Drawing())


@member
def stream_is_asked_once(guest: Guest) -> None:
    """A dataset of items that vanish as they are read."""

    class Vanishing(Dataset[Any]):
        def __init__(self) -> None:
            self.left = {index: torch.full((8,), float(index)) for index in range(16)}

        def __len__(self) -> int:
            return 16

        def __getitem__(self, index: int) -> torch.Tensor:
            return self.left.pop(index)

    guest.fit(train=DataLoader(Vanishing(), batch_size=BATCH_SIZE), max_epochs=1)


@member
def loaders_are_made_once(guest: Guest) -> None:
    """The module counts how often its loaders and optimizers are asked for."""
    asked: list[str] = []

    class Counting(Net):
        def train_dataloader(self) -> Any:
            asked.append("train")
            return loader()

        def configure_optimizers(self) -> Any:
            asked.append("optimizer")
            return super().configure_optimizers()

    module: LightningModule = guest.kept(Counting())
    guest.trainer().fit(module)
    guest.tell(asked=asked)
