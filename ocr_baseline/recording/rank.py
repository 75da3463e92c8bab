"""Which of a run's processes this one is."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple


class Rank(NamedTuple):
    """A process of a run of `world_size` processes, numbered from 0."""

    number: int = 0
    world_size: int = 1

    @property
    def is_zero(self) -> bool:
        """Whether this process writes the report."""
        return self.number == 0


def current_rank() -> Rank:
    """Return the rank by `torch.distributed`, else by what torchrun sets, else the only one."""
    torch = sys.modules.get("torch")
    distributed = getattr(torch, "distributed", None)
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return Rank(distributed.get_rank(), distributed.get_world_size())
    number, size = os.environ.get("RANK", ""), os.environ.get("WORLD_SIZE", "")
    if number.isdecimal() and size.isdecimal() and int(number) < int(size):
        return Rank(int(number), int(size))
    return Rank()
