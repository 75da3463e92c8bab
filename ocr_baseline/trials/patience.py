"""Waiting while other programs keep the machine busy, and no longer than agreed."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BUSY_SHARE = 0.1
"""Others that take more of the processors are waited for."""
LOOK_S = 0.5
"""How long one look at the processors takes."""
DEFAULT_WAIT_S = 120.0


def share_in_use() -> float:
    """Return the share of the processors that this process may use that is in use, 0 to 1.

    Between two runs none of it is ours: this process does nothing while it looks.
    """
    import psutil  # here, as a command that runs once waits for nobody

    each = psutil.cpu_percent(interval=LOOK_S, percpu=True)
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(len(each))
    own = [percent for number, percent in enumerate(each) if number in usable] or each
    return sum(own) / len(own) / 100


class Patience:
    """So much waiting, all pauses together.

    Args:
        limit_s: How long all pauses together may take; 0 never waits, and never looks.
        look: Takes a moment and returns the share of the processors that others use.
        clock: The time in seconds.
    """

    def __init__(
        self,
        limit_s: float = DEFAULT_WAIT_S,
        *,
        look: Callable[[], float] = share_in_use,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.left_s = limit_s
        self._look = look
        self._clock = clock

    def wait(self, tell: Callable[[str], None]) -> None:
        """Return when the machine is free, or when the patience is used up; tell of either."""
        if self.left_s <= 0:
            return
        share = self._look()
        if share <= BUSY_SHARE:
            return
        tell(
            f"Waiting for other programs, which use {share:.0%} of the processors "
            f"(at most {self.left_s:.0f} s more, all pauses together)"
        )
        began = self._clock()
        while share > BUSY_SHARE and self._clock() - began < self.left_s:
            share = self._look()
        self.left_s -= self._clock() - began
        if share > BUSY_SHARE:
            self.left_s = 0.0
            tell(f"Going on, though other programs still use {share:.0%} of the processors")
