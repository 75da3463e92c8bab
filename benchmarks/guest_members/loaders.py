"""Odd loaders: attributes of other types, that raise, lie or do something."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import BatchSampler, DataLoader, SequentialSampler

from benchmarks.guest_members.member import Members
from benchmarks.guest_members.session import BATCH_SIZE, BATCHES, Items, Net, loader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.guest_members.session import Guest

member = Members()


@member
def numpy_workers(guest: Guest) -> None:
    """The number of workers is an integer of NumPy."""
    guest.fit(train=loader(num_workers=np.minimum(1, 8)))
    guest.true("train.samples", 32)


@member
def numpy_prefetch(guest: Guest) -> None:
    """The prefetch factor is an integer of NumPy, the persistence a truth value of NumPy."""
    arguments = {"prefetch_factor": np.int64(2), "persistent_workers": np.bool_(True)}
    guest.fit(train=loader(num_workers=1, **arguments))


@member
def numpy_timeout(guest: Guest) -> None:
    """The timeout is a float of NumPy, and memory is pinned by a truth value of NumPy."""
    guest.fit(train=loader(num_workers=1, timeout=np.float32(30.0), pin_memory=np.bool_(False)))


class _Workers(enum.IntEnum):
    ONE = 1


@member
def enum_workers(guest: Guest) -> None:
    """The number of workers is a member of an enumeration."""
    guest.fit(train=loader(num_workers=_Workers.ONE))


@member
def boolean_workers(guest: Guest) -> None:
    """The number of workers is True."""
    guest.fit(train=loader(num_workers=True))


@member
def tensor_workers(guest: Guest) -> None:
    """The number of workers becomes a tensor."""
    train = loader()
    train.num_workers = torch.tensor(0)  # type: ignore[assignment]  # what is tried
    guest.fit(train=train)


@member
def worker_hook_set_once(guest: Guest) -> None:
    """worker_init_fn can be set once only."""

    class Frozen(DataLoader[Any]):
        @property
        def worker_init_fn(self) -> Any:
            return None

        @worker_init_fn.setter
        def worker_init_fn(self, value: Any) -> None:
            if "made" in vars(self):
                raise AttributeError("frozen")
            vars(self)["made"] = True

    guest.fit(train=Frozen(Items(), batch_size=BATCH_SIZE, num_workers=1))


def _raising(name: str) -> type[DataLoader[Any]]:
    """Return a loader class whose attribute raises once the loader is made and running."""

    class Raising(DataLoader[Any]):
        def __getattribute__(self, attribute: str) -> Any:
            value = super().__getattribute__(attribute)
            if attribute == name and "is_read" in super().__getattribute__("__dict__"):
                raise RuntimeError(f"no {name}")
            return value

    return Raising


@member
def prefetch_that_raises(guest: Guest) -> None:
    """The prefetch factor can't be read."""
    train = _raising("prefetch_factor")(Items(), batch_size=BATCH_SIZE)
    vars(train)["is_read"] = True
    guest.fit(train=train)


@member
def batch_size_that_raises(guest: Guest) -> None:
    """The batch size can't be read."""
    train = _raising("batch_size")(Items(), batch_size=BATCH_SIZE)
    vars(train)["is_read"] = True
    guest.fit(train=train)


@member
def persistence_that_raises(guest: Guest) -> None:
    """Whether workers persist can't be asked from outside of torch."""

    class Hidden(DataLoader[Any]):
        def __getattribute__(self, attribute: str) -> Any:
            import sys

            if attribute in {"timeout", "multiprocessing_context"}:
                caller = sys._getframe(1).f_globals["__name__"]
                if caller.startswith("ocr_baseline"):
                    raise KeyError(attribute)
            return super().__getattribute__(attribute)

    guest.fit(train=Hidden(Items(), batch_size=BATCH_SIZE, num_workers=1))


@member
def reads_are_counted(guest: Guest) -> None:
    """A property of the loader counts how often it is read, and its value depends on it."""

    class Counting(DataLoader[Any]):
        reads = 0

        @property
        def label(self) -> int:
            type(self).reads += 1
            return self.reads

    guest.fit(train=Counting(Items(), batch_size=BATCH_SIZE))
    guest.tell(reads=Counting.reads)


@member
def getattr_makes_anything(guest: Guest) -> None:
    """The loader answers every name, with itself."""

    class Anything(DataLoader[Any]):
        def __getattr__(self, attribute: str) -> Any:
            return self

    guest.fit(train=Anything(Items(), batch_size=BATCH_SIZE))


@member
def own_iterable_with_traps(guest: Guest) -> None:
    """The loader is an object of the user's own that raises for every unknown name."""

    class Own:
        def __iter__(self) -> Iterator[Any]:
            return iter([[row[None]] for row in Items(5).rows])

        def __getattr__(self, attribute: str) -> Any:
            if attribute.startswith("__"):
                raise AttributeError(attribute)
            raise AttributeError(f"no {attribute} here")

    guest.fit(train=Own())


@member
def slots_loader(guest: Guest) -> None:
    """The loader is an object with slots."""

    class Slotted:
        __slots__ = ("rows",)

        def __init__(self) -> None:
            self.rows = Items(6).rows

        def __iter__(self) -> Iterator[Any]:
            return iter(Items(6).parts(2))

        def __len__(self) -> int:
            return 3

    guest.fit(train=Slotted())


@member
def list_of_batches(guest: Guest) -> None:
    """The loader is a list of batches."""
    guest.fit(train=list(Items().parts(3)))


@member
def generator_once(guest: Guest) -> None:
    """The loader is a generator that is empty in the second epoch."""
    guest.fit(train=(rows for rows in Items().parts(4)))


@member
def length_that_raises(guest: Guest) -> None:
    """The loader's length raises NotImplementedError."""

    class Unknown(DataLoader[Any]):
        def __len__(self) -> int:
            raise NotImplementedError

    guest.fit(train=Unknown(Items(), batch_size=BATCH_SIZE))


@member
def length_too_long(guest: Guest) -> None:
    """The loader says that it has more batches than it gives."""

    class Longer(DataLoader[Any]):
        def __len__(self) -> int:
            return 9

    guest.fit(train=Longer(Items(), batch_size=BATCH_SIZE))


@member
def length_too_short(guest: Guest) -> None:
    """The loader says that it has fewer batches than it gives."""

    class Shorter(DataLoader[Any]):
        def __len__(self) -> int:
            return 2

    guest.fit(train=Shorter(Items(), batch_size=BATCH_SIZE))


@member
def length_changes(guest: Guest) -> None:
    """The loader's length differs each time that it is asked."""

    class Changing(DataLoader[Any]):
        asked = 0

        def __len__(self) -> int:
            type(self).asked += 1
            return 4

    guest.fit(train=Changing(Items(), batch_size=BATCH_SIZE))
    guest.tell(asked=Changing.asked)


@member
def truth_value_that_raises(guest: Guest) -> None:
    """The loader has no truth value, and equals nothing without an exception."""

    class Touchy(DataLoader[Any]):
        def __bool__(self) -> bool:
            raise ValueError("ambiguous")

        def __eq__(self, other: object) -> bool:
            raise ValueError("incomparable")

        __hash__ = None  # type: ignore[assignment]  # what is tried

    guest.fit(train=Touchy(Items(), batch_size=BATCH_SIZE))


@member
def sampler_length_draws(guest: Guest) -> None:
    """A sampler's length draws a random number."""

    class Drawing(SequentialSampler):
        def __len__(self) -> int:
            torch.rand(1)
            return len(Items())

    train = DataLoader(Items(), batch_size=BATCH_SIZE, sampler=Drawing(Items()))
    guest.fit(train=train, limit_train_batches=3)


@member
def dataset_length_draws(guest: Guest) -> None:
    """A dataset's length draws a random number."""

    class Drawing(Items):
        def __len__(self) -> int:
            torch.rand(1)
            return 12

    guest.fit(train=DataLoader(Drawing(), batch_size=BATCH_SIZE, shuffle=True))


@member
def sampler_of_own_sizes(guest: Guest) -> None:
    """A batch sampler of the user's own gives batches of one, two and three."""

    class Growing(BatchSampler):
        def __init__(self) -> None: ...

        def __iter__(self) -> Iterator[list[int]]:
            yield from ([0], [1, 2], [3, 4, 5])

        def __len__(self) -> int:
            return 3

    guest.fit(train=DataLoader(Items(), batch_sampler=Growing()))
    guest.true("train.samples", 12)


@member
def attributes_cannot_be_set(guest: Guest) -> None:
    """No attribute of the loader can be set once it is made."""

    class Sealed(DataLoader[Any]):
        def __setattr__(self, name: str, value: Any) -> None:
            if "sealed" in vars(self) and name != "_iterator":
                raise AttributeError("sealed")
            super().__setattr__(name, value)

    train = Sealed(Items(), batch_size=BATCH_SIZE, num_workers=1)
    vars(train)["sealed"] = True
    guest.fit(train=train)


@member
def dataset_getattr_recurses(guest: Guest) -> None:
    """A dataset asks itself for every unknown name without an end."""

    class Endless(Items):
        def __getattr__(self, name: str) -> Any:
            return getattr(self, name + "_")

    guest.fit(train=DataLoader(Endless(), batch_size=BATCH_SIZE))


@member
def own_iterator_class(guest: Guest) -> None:
    """The loader's iterator is a generator of the user's over torch's."""

    class Repeating(DataLoader[Any]):
        def __iter__(self) -> Any:
            for batch in super().__iter__():
                yield batch
                yield batch

        def __len__(self) -> int:
            return 2 * BATCHES

    guest.fit(Net(), Repeating(Items(), batch_size=BATCH_SIZE, num_workers=1))
    guest.true("train.samples", 64)


@member
def loader_that_raises_late(guest: Guest) -> None:
    """The loader raises at its third batch; the training ends with its exception."""

    def rows() -> Iterator[torch.Tensor]:
        yield from Items(2).parts(1)
        raise LookupError("no third batch")

    class Raises:
        def __iter__(self) -> Iterator[torch.Tensor]:
            return rows()

    guest.true("run.status", "failed")
    guest.fit(train=Raises())


@member
def worker_that_raises(guest: Guest) -> None:
    """A dataset raises in a worker; the training ends with its exception."""

    class Raises(Items):
        def __getitem__(self, index: int) -> torch.Tensor:
            if index == 9:
                raise LookupError("no row nine")
            return super().__getitem__(index)

    guest.true("run.status", "failed")
    try:
        guest.fit(train=DataLoader(Raises(), batch_size=BATCH_SIZE, num_workers=1))
    except LookupError as error:
        guest.tell(error=str(error).splitlines()[-1])
