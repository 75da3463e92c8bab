"""Which of a run's processes this one is."""

from __future__ import annotations

from typing import NamedTuple


class Rank(NamedTuple):
    """A process of a run of `world_size` processes, numbered from 0."""

    number: int = 0
    world_size: int = 1

    @property
    def is_zero(self) -> bool:
        """Whether this process writes the report."""
        return self.number == 0
