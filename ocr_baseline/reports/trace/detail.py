"""How much of a run its trace shows, so that one of a million batches still opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_WITH_LINES = 20_000
"""Batches of a run that are shown with their lines, which are ten or more a batch."""
MAX_SINGLE = 200_000
"""Batches of a run that are shown one by one."""
MAX_BLOCKS = 100_000
"""Slices that stand for all batches of a run with more."""


@dataclass(frozen=True)
class Detail:
    """Whether lines are shown, and how many batches in a row one slice stands for."""

    has_lines: bool
    batches_per_slice: int

    @property
    def words(self) -> str:
        """What a reader of the trace should know of it."""
        if self.batches_per_slice > 1:
            return f"blocks of {self.batches_per_slice:,} batches"
        return "single batches with their lines" if self.has_lines else "single batches"


def detail_of(batches: int) -> Detail:
    """Return how so many batches, all stages and ranks together, are shown."""
    if batches > MAX_SINGLE:
        return Detail(has_lines=False, batches_per_slice=-(-batches // MAX_BLOCKS))
    return Detail(has_lines=batches <= MAX_WITH_LINES, batches_per_slice=1)


def blocks(count: int, size: int) -> Iterator[slice]:
    """Yield rows in blocks of that size, the last one with what is left."""
    for first in range(0, count, size):
        yield slice(first, min(first + size, count))
