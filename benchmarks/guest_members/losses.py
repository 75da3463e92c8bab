"""Functions and classes that members name as operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import Dataset

if TYPE_CHECKING:
    from collections.abc import Iterator


def scaled(rows: torch.Tensor, factor: float = 2.0) -> torch.Tensor:
    """Return rows times a factor."""
    return rows * factor


FIRST = scaled
TABLE = {scaled: "scaled"}


def tick() -> None:
    """Do nothing."""


def recurse(depth: int) -> int:
    """Return the depth, by calling itself so often."""
    return recurse(depth - 1) + 1 if depth else 0


def raises_stop() -> None:
    """Raise StopIteration with a value."""
    raise StopIteration("its value")


def steps(count: int) -> Iterator[int]:
    """Yield numbers."""
    yield from range(count)


class Counter:
    """A callable with state."""

    def __init__(self) -> None:
        self.count = 0
        self.scale = 1.0

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        """Count the call."""
        self.count += 1
        return rows * self.scale


class Slotted:
    """A callable without a dictionary."""

    __slots__ = ()

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the rows."""
        return rows


counter = Counter()
slotted = Slotted()
negated = lambda rows: -rows  # noqa: E731 - what is tried


class Base:
    """Methods of each kind."""

    @staticmethod
    def doubled(rows: torch.Tensor) -> torch.Tensor:
        """Return rows times two."""
        return rows * 2

    @classmethod
    def made(cls) -> Base:
        """Return one of the class."""
        return cls()

    def moved(self, rows: torch.Tensor) -> torch.Tensor:
        """Return rows plus one."""
        return rows + 1

    def kept(self, value: Any) -> Any:
        """Return the value."""
        return value


class Below(Base):
    """Overrides one of them."""

    def moved(self, rows: torch.Tensor) -> torch.Tensor:
        """Return rows plus one, minus two."""
        return super().moved(rows) - 2


class Doubling(Dataset[torch.Tensor]):
    """Holds a function that may be an operation."""

    def __init__(self) -> None:
        self.function = Base.doubled

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.function(torch.full((8,), float(index)))
